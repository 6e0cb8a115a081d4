"""The tables, passive: services.py writes them, selectors.py asks them, admin.py shows them."""

from __future__ import annotations

import uuid
from pathlib import PurePath
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, RegexValidator
from django.db import models


class Call(models.Model):
    """One call, from seizure to release; written when it starts, so a crash cannot lose it."""

    # The daemon's vocabulary; an unknown cause is shown as it is.
    CAUSES: ClassVar = {
        "caller": "来电人挂机",
        "exit": "按键退出",
        "silence": "长时间无按键",
        "limit": "超过最长通话时间",
        "fault": "线路故障",
        "closed": "服务未开通",
        "crash": "服务异常中断",
        "shutdown": "服务停止",
    }

    id = models.UUIDField("通话编号", primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.CharField("机器", max_length=64, blank=True)
    line = models.CharField("线路", max_length=40, db_index=True)
    caller_number = models.CharField("来电号码", max_length=32, blank=True, db_index=True)
    started_at = models.DateTimeField("来电时间", db_index=True)
    answered_at = models.DateTimeField("接听时间", null=True, blank=True)
    ended_at = models.DateTimeField("结束时间", null=True, blank=True, db_index=True)
    cause = models.CharField("结束原因", max_length=32, blank=True)
    last_node = models.CharField("最后环节", max_length=80, blank=True)

    class Meta:
        verbose_name = "通话"
        verbose_name_plural = "通话记录"
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return f"{self.line} {self.caller_number or '未显示号码'}"


class Step(models.Model):
    """One thing that happened in a call. `detail` never holds a PIN or a whole ID number."""

    KINDS: ClassVar = {
        "prompt": "播放",
        "key": "按键",
        "secret": "密码",
        "service": "查询",
        "outcome": "结果",
        "record": "录音",
        "note": "说明",
    }

    call = models.ForeignKey(Call, models.CASCADE, related_name="steps", verbose_name="通话")
    seq = models.PositiveIntegerField("序号")
    at = models.DateTimeField("时间")
    node = models.CharField("环节", max_length=80)
    kind = models.CharField("类型", max_length=16, choices=KINDS)
    detail = models.CharField("内容", max_length=400, blank=True)

    class Meta:
        verbose_name = "步骤"
        verbose_name_plural = "通话步骤"
        ordering = ("call", "seq")
        constraints = (models.UniqueConstraint(fields=("call", "seq"), name="step_once"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.node}"


class Identified(models.Model):
    """What somebody with an ID number left here: sealed to open, hashed to find, masked to show."""

    id_sealed = models.TextField("证件号码（密封）", blank=True, editable=False)
    id_hash = models.CharField("证件号码（查找用）", max_length=64, blank=True, db_index=True, editable=False)
    id_mask = models.CharField("证件号码", max_length=24, blank=True, editable=False)

    class Meta:
        abstract = True


class Message(Identified):
    """A complaint or suggestion: the recording, and the order the centre works on."""

    KINDS: ClassVar = {"complaint": "投诉", "suggestion": "建议", "unknown": "来历不明的录音"}
    STATES: ClassVar = {"recording": "录音中", "kept": "已保存", "too_short": "过短未保存", "repaired": "中断后修复"}

    id = models.UUIDField("编号", primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField("工单号", max_length=16, unique=True)
    kind = models.CharField("类型", max_length=16, choices=KINDS)
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="messages", verbose_name="通话")
    caller_number = models.CharField("来电号码", max_length=32, blank=True)
    path = models.CharField("录音文件", max_length=200, unique=True)
    at = models.DateTimeField("受理时间", db_index=True)
    seconds = models.DecimalField("时长（秒）", max_digits=7, decimal_places=1, default=0)
    state = models.CharField("状态", max_length=16, choices=STATES, default="recording")
    note = models.TextField("处理备注", blank=True)

    class Meta:
        verbose_name = "投诉建议"
        verbose_name_plural = "投诉建议工单"
        ordering = ("-at",)
        permissions = (("listen_message", "可收听录音"),)

    def __str__(self) -> str:
        return self.number


class DailyNumber(models.Model):
    """The last order number given on a day."""

    day = models.DateField("日期", primary_key=True)
    last = models.PositiveIntegerField("已用序号", default=0)

    class Meta:
        verbose_name = "工单序号"
        verbose_name_plural = "工单序号"


class Vote(Identified):
    """One answer to the survey. A call has one: who votes again before hanging up has changed his mind."""

    OPTIONS: ClassVar = {1: "非常满意", 2: "满意", 3: "一般", 4: "不满意", 5: "非常不满意"}

    call = models.OneToOneField(Call, models.PROTECT, related_name="vote", verbose_name="通话")
    line = models.CharField("线路", max_length=40, db_index=True)
    option = models.PositiveSmallIntegerField("评价", choices=OPTIONS)
    at = models.DateTimeField("投票时间", db_index=True)

    class Meta:
        verbose_name = "投票"
        verbose_name_plural = "满意度投票"
        ordering = ("-at",)
        constraints = (models.CheckConstraint(condition=models.Q(option__range=(1, 5)), name="vote_option"),)
        permissions = (
            ("see_voter", "可查看投票人和留言人的证件号码"),
            ("see_statistics", "可查看统计"),
        )

    def __str__(self) -> str:
        return f"{self.id_mask} {self.get_option_display()}"


class Pin(models.Model):
    """A caller's six-digit PIN. Neither the login nor the PIN can be read out of this table."""

    KINDS: ClassVar = {
        "id_number": "身份证号",
        "account_number": "个人公积金账号",
        "card_number": "联名卡卡号",
        "unit": "单位公积金账号",
    }

    kind = models.CharField("登录方式", max_length=16, choices=KINDS)
    login_hash = models.CharField(max_length=64, editable=False)
    pin_hash = models.CharField(max_length=200, editable=False)
    must_change = models.BooleanField("首次使用须修改", default=False)
    updated_at = models.DateTimeField("更新时间")
    updated_by = models.CharField("办理人", max_length=150)

    class Meta:
        verbose_name = "查询密码"
        verbose_name_plural = "查询密码"
        constraints = (models.UniqueConstraint(fields=("kind", "login_hash"), name="pin_once"),)
        permissions = (("issue_pin", "可发放、解锁查询密码"),)

    def __str__(self) -> str:
        return self.get_kind_display()


class Failure(models.Model):
    """PIN attempts of one day that have not come out right, for one login or one calling number."""

    scope = models.CharField(max_length=8)
    subject = models.CharField(max_length=64)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "密码错误计数"
        verbose_name_plural = "密码错误计数"
        constraints = (models.UniqueConstraint(fields=("scope", "subject", "day"), name="failure_once"),)


class Branch(models.Model):
    """An outlet of the centre, as callers hear it."""

    name = models.CharField("名称", max_length=60, unique=True)
    address = models.CharField("地址", max_length=200)
    service_phone = models.CharField("服务电话", max_length=32, blank=True)
    complaint_phone = models.CharField("投诉电话", max_length=32, blank=True)
    hours = models.CharField("营业时间", max_length=100, blank=True)
    order = models.PositiveSmallIntegerField("播报顺序", default=1)
    enabled = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = "业务网点"
        verbose_name_plural = "业务网点"
        ordering = ("order", "name")

    def __str__(self) -> str:
        return self.name


class PolicyText(models.Model):
    """A node of the policy or the procedure tree. The path of its keys is what a caller presses."""

    KINDS: ClassVar = {"policy": "政策", "procedure": "办理流程"}
    CATEGORIES: ClassVar = {"deposit": "缴存", "withdrawal": "提取", "loan": "贷款"}

    kind = models.CharField("种类", max_length=16, choices=KINDS)
    category = models.CharField("业务", max_length=16, choices=CATEGORIES)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    key = models.CharField("按键", max_length=1, validators=[RegexValidator(r"^[1-9]$", "按键只能是 1–9")])
    title = models.CharField("标题", max_length=40)
    text = models.TextField("播报内容", blank=True, max_length=2000)
    enabled = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = "政策流程"
        verbose_name_plural = "政策和办理流程"
        ordering = ("kind", "parent_id", "key")
        constraints = (
            models.UniqueConstraint(fields=("parent", "key"), name="policy_key_once"),
            # A missing parent equals nothing in SQL, so the top level needs a rule of its own.
            models.UniqueConstraint(
                fields=("kind", "key"), condition=models.Q(parent=None), name="policy_top_key_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.title}"

    def clean(self) -> None:
        above = self.parent
        if above and (above.kind, above.category) != (self.kind, self.category):
            raise ValidationError({"parent": "上级必须是同一种类、同一业务"})
        while above:
            if above.pk == self.pk:
                raise ValidationError({"parent": "上级不能是自己或自己的下级"})
            above = above.parent


LARGEST_AUDIO = 20 * 2**20  # bytes; ten minutes of a studio recording


def playable(upload: Any) -> None:
    """Refuse a file that is too large or that nothing here can play, before it stands for a prompt."""
    import soundfile

    if upload.size > LARGEST_AUDIO:
        raise ValidationError(f"录音文件有 {upload.size / 2**20:.0f} MB，最大 {LARGEST_AUDIO // 2**20} MB")
    try:
        soundfile.info(upload.file)
    except soundfile.LibsndfileError:
        raise ValidationError("不是可以播放的录音文件；可用 wav、mp3、flac 或 ogg") from None
    finally:
        upload.file.seek(0)


def audio_name(prompt: PromptText, filename: str) -> str:
    """Files are named after their prompt; one that was there before gets company, not replaced."""
    return f"prompts/{prompt.key}{PurePath(filename).suffix.lower()}"


class PromptText(models.Model):
    """A prompt of the catalogue as this centre wants it: other words, or its own recording."""

    key = models.CharField(
        "提示音",
        max_length=60,
        primary_key=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+$", "只能用字母、数字、点、横线和下划线")],
    )
    shipped = models.TextField("出厂文字", blank=True, editable=False)
    text = models.TextField("本中心文字", blank=True, max_length=2000, help_text="留空则使用出厂文字")
    audio = models.FileField(
        "本中心录音",
        upload_to=audio_name,
        blank=True,
        validators=[FileExtensionValidator(["wav", "mp3", "flac", "ogg"]), playable],
        help_text="wav、mp3、flac 或 ogg；有录音时播放录音",
    )
    changed_at = models.DateTimeField("修改时间", null=True, blank=True, editable=False, db_index=True)

    class Meta:
        verbose_name = "提示音"
        verbose_name_plural = "提示音"
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key


class Operation(models.Model):
    """How the hotline is run; one row. The daemon looks at it before it answers, so a change is for the next call."""

    DIALOGS: ClassVar = {"": "按设置文件", "city.yaml": "市级流程", "guideline.yaml": "导则推定流程"}

    open = models.BooleanField(
        "电话语音查询开通", default=True, help_text="关闭时，来电人听到暂未开通的提示，不进入菜单。"
    )
    dialog = models.CharField("菜单流程", max_length=40, blank=True, choices=DIALOGS)

    class Meta:
        verbose_name = "运行方式"
        verbose_name_plural = "运行方式"

    def __str__(self) -> str:
        return "开通" if self.open else "未开通"


class Version(models.Model):
    """How an editable text read after a change; the newest is what is in use."""

    subject = models.CharField("内容", max_length=80)  # "branch/3", "policytext/12", "prompttext/P01"
    at = models.DateTimeField("修改时间")
    by = models.CharField("修改人", max_length=150)
    fields: Any = models.JSONField("各栏内容")

    class Meta:
        verbose_name = "历史版本"
        verbose_name_plural = "历史版本"
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("subject", "-at"), name="version_subject"),)

    def __str__(self) -> str:
        return self.subject


class AuditEntry(models.Model):
    """Who looked at what he may see only with a reason. Written once, never changed."""

    ACTIONS: ClassVar = {
        "see_vote": "查看投票人",
        "see_message": "查看留言人",
        "find_person": "按证件号码查找",
        "issue_pin": "发放查询密码",
        "unlock_pin": "解锁查询密码",
    }

    at = models.DateTimeField("时间", db_index=True)
    username = models.CharField("操作人", max_length=150, db_index=True)
    action = models.CharField("操作", max_length=16, choices=ACTIONS)
    subject = models.CharField("对象", max_length=80)
    reason = models.CharField("理由", max_length=200)

    class Meta:
        verbose_name = "审计记录"
        verbose_name_plural = "审计记录"
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.username} {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("an audit entry is never deleted")
