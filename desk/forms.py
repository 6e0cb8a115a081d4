"""What the pages beyond the lists ask for."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone

from . import selectors
from .models import Pin

ID_NUMBER = RegexValidator(r"^\d{17}[\dX]$", "身份证号须为 18 位，末位可以是 X；15 位的请先换成 18 位")
LOGIN = RegexValidator(r"^[0-9A-Z]{4,30}$", "账号须为 4–30 位数字或字母")


class NumberField(forms.CharField):
    """An ID or account number in its canonical form: no spaces, X in upper case."""

    def to_python(self, value: Any) -> str:
        return "".join(str(super().to_python(value)).split()).upper()


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """A period of whole days and a line; this month and all lines when nothing is asked for."""

    first = DayField(label="从")
    last = DayField(label="到")
    line = forms.ChoiceField(label="线路", required=False)

    def __init__(self, data: Any) -> None:
        today = timezone.localdate()
        super().__init__({"first": today.replace(day=1), "last": today} | {k: v for k, v in data.items() if v})
        line: Any = self.fields["line"]
        line.choices = [("", "全部线路"), *((name, name) for name in selectors.lines_seen())]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            raise forms.ValidationError("结束日期不能早于开始日期")
        return cleaned


class ReasonForm(forms.Form):
    """Why somebody wants to see or do what is written into the audit log."""

    reason = forms.CharField(label="理由", min_length=2, max_length=200, widget=forms.TextInput(attrs={"size": 60}))


class PersonForm(ReasonForm):
    id_number = NumberField(label="身份证号", validators=[ID_NUMBER])
    field_order = ("id_number", "reason")


class PinForm(ReasonForm):
    kind = forms.ChoiceField(label="登录方式", choices=Pin.KINDS)
    login = NumberField(label="证件号或账号", validators=[LOGIN])
    field_order = ("kind", "login", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == "id_number" and (login := cleaned.get("login")):
            ID_NUMBER(login)
        return cleaned
