"""Side-bar filters the lists share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from . import selectors


class DateRange(admin.FieldListFilter):
    """From one day to another, both included, for a DateTimeField; either end may be left open."""

    template = "desk/date_range.html"

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, owner: Any, field_path: str) -> None:
        self.names = (f"{field_path}__from", f"{field_path}__to")
        super().__init__(field, request, params, model, owner, field_path)
        self.title = f"按{field.verbose_name}"

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def _given(self, name: str) -> str:
        values: Any = self.used_parameters.get(name, "")
        return str(values[-1] if isinstance(values, list) else values)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        try:
            first, last = (date.fromisoformat(text) if (text := self._given(name)) else None for name in self.names)
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": selectors.period(first, first)[0]})
        if last:
            queryset = queryset.filter(**{f"{self.field_path}__lt": selectors.period(last, last)[1]})
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        others = [(name, value) for name, value in changelist.params.items() if name not in self.names]
        yield {"ends": [(label, name, self._given(name)) for label, name in zip("从到", self.names, strict=True)],
               "others": others, "clear": changelist.get_query_string(remove=list(self.names))}  # fmt: skip
