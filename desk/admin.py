"""The lists and forms of the desk. Nothing here shows an ID number; views.py does, for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from . import services
from .filters import DateRange
from .models import AuditEntry, Branch, Call, Message, Operation, PolicyText, PromptText, Step, Version, Vote

if TYPE_CHECKING:  # generic in the type stubs only
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    UserModelAdmin = UserAdmin[User]
else:
    ModelAdmin, TabularInline, UserModelAdmin = admin.ModelAdmin, admin.TabularInline, UserAdmin

admin.site.site_header = admin.site.site_title = "12329 住房公积金热线"
admin.site.index_title = "工作台"
admin.site.site_url = None
admin.site.disable_action("delete_selected")


# A field that leads further -> the permission it takes, and what others see in its place.
NEEDS = {"identity": ("desk.see_voter", "id_mask"), "player": ("desk.listen_message", "path")}


class Recorded(ModelAdmin):
    """What the service wrote: nobody adds to it or takes from it, and `editable` says what may be changed."""

    editable: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        user: Any = request.user
        fields = [str(name) for name in self.fields or ()]
        for name, (permission, instead) in NEEDS.items():
            if not user.has_perm(permission):
                fields = [instead if field == name else field for field in fields]
        return fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in self.get_fields(request, obj) if name not in self.editable]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.editable) and super().has_change_permission(request, obj)


class StepInline(TabularInline):
    model = Step
    fields = ("seq", "moment", "node", "kind", "detail")
    readonly_fields = fields
    ordering = ("seq",)
    extra = 0
    can_delete = False

    @admin.display(description="时间")
    def moment(self, step: Step) -> str:
        return f"{timezone.localtime(step.at):%H:%M:%S.%f}"[:-3]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Call)
class CallAdmin(Recorded):
    list_display = ("started_at", "line", "caller_number", "duration", "why_ended", "last_node")
    list_filter = (("started_at", DateRange), "line", "cause")
    search_fields = ("caller_number",)
    search_help_text = "来电号码"
    fields = (
        "id", "line", "caller_number", "started_at", "answered_at", "ended_at", "duration", "why_ended", "last_node",
    )  # fmt: skip
    inlines = (StepInline,)

    @admin.display(description="通话时长")
    def duration(self, call: Call) -> str:
        if call.ended_at is None:
            return "通话中"
        seconds = round((call.ended_at - (call.answered_at or call.started_at)).total_seconds())
        return f"{seconds // 60}:{seconds % 60:02d}"

    @admin.display(description="结束原因", ordering="cause")
    def why_ended(self, call: Call) -> str:
        return Call.CAUSES.get(call.cause, call.cause)


def _identity(record: Vote | Message) -> str:
    """The mask, and the way to the number for those who may go it."""
    if not record.id_sealed:
        return "未提供"
    kind = "vote" if isinstance(record, Vote) else "message"
    return format_html('{} <a href="{}">查看完整号码…</a>', record.id_mask, reverse("reveal", args=(kind, record.pk)))


@admin.register(Message)
class MessageAdmin(Recorded):
    list_display = ("number", "kind", "at", "caller_number", "id_mask", "seconds", "state")
    list_filter = (("at", DateRange), "kind", "state", "call__line")
    list_select_related = ("call",)
    search_fields = ("number", "caller_number")
    search_help_text = "工单号或来电号码"
    fields = ("number", "kind", "state", "at", "caller_number", "identity", "player", "seconds", "call", "note")
    editable = ("note",)

    @admin.display(description="证件号码")
    def identity(self, message: Message) -> str:
        return _identity(message)

    @admin.display(description="录音")
    def player(self, message: Message) -> str:
        if message.state not in ("kept", "repaired"):
            return message.get_state_display()
        return format_html(
            '<audio controls preload="metadata" src="{}"></audio>', reverse("recording", args=(message.pk,))
        )


@admin.register(Vote)
class VoteAdmin(Recorded):
    list_display = ("at", "option", "line", "id_mask")
    list_filter = (("at", DateRange), "option", "line")
    fields = ("at", "option", "line", "identity", "call")

    @admin.display(description="投票人证件号码")
    def identity(self, vote: Vote) -> str:
        return _identity(vote)


@admin.register(AuditEntry)
class AuditEntryAdmin(Recorded):
    list_display = ("at", "username", "action", "subject", "reason")
    fields = list_display
    list_filter = (("at", DateRange), "action", "username")


class TextAdmin(ModelAdmin):
    """Texts callers hear: every version is kept and shown; one no longer wanted is switched off, not deleted."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["versions"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.changed_data or not change:
            services.text_save(text=obj, by=request.user.get_username(), at=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="历史版本")
    def versions(self, text: Any) -> str:
        if text.pk is None:
            return "—"
        kept = Version.objects.filter(subject=services.subject_of(text))[:50]
        rows = ((f"{timezone.localtime(v.at):%Y-%m-%d %H:%M:%S}", v.by, _fields(v)) for v in kept)
        return format_html(
            "<table>{}</table>", format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        )


def _fields(version: Version) -> SafeString:
    return format_html_join("", "<div>{}：{}</div>", version.fields.items())


@admin.register(Branch)
class BranchAdmin(TextAdmin):
    list_display = ("name", "address", "service_phone", "complaint_phone", "order", "enabled")
    list_filter = ("enabled",)


@admin.register(Operation)
class OperationAdmin(TextAdmin):
    list_display = ("__str__", "dialog")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Operation.objects.exists()


@admin.register(PolicyText)
class PolicyTextAdmin(TextAdmin):
    list_display = ("keys", "title", "kind", "category", "enabled")
    list_display_links = ("title",)
    list_filter = ("kind", "category", "enabled")
    list_select_related = ("parent__parent__parent",)
    search_fields = ("title", "text")

    @admin.display(description="按键路径")
    def keys(self, text: PolicyText) -> str:
        return f"{self.keys(text.parent)}-{text.key}" if text.parent else text.key


@admin.register(PromptText)
class PromptTextAdmin(TextAdmin):
    list_display = ("key", "shipped", "text", "audio", "changed_at")
    search_fields = ("key", "shipped", "text")
    fields = ("key", "shipped", "text", "audio", "changed_at", "versions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["shipped", "changed_at", "versions", *(["key"] if obj else [])]


admin.site.unregister(User)


@admin.register(User)
class PeopleAdmin(UserModelAdmin):
    """Who may manage people gives them roles; more than that only a superuser may give, or he could help himself."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, User) and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = ("last_login", "date_joined")
        return own if _is_superuser(request) else (*own, "is_superuser", "user_permissions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups")


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser
