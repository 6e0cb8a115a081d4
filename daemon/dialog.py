"""The interpreter: walks a caller through a dialog (config/dialog.py) with a call's vocabulary.

It has no branch that knows what a housing fund is. Values that services return and callers key live in
one scope for the length of the call; prompts and conditions look names up there, then in the settings.
"""

from __future__ import annotations

import logging
from collections import ChainMap, Counter
from collections.abc import Mapping
from typing import Any

from ..config.dialog import Choice, Condition, Dialog, FieldSpec, Items, Node
from ..config.settings import Settings
from ..voice.speech import compose, holds
from .call import KEYS, Call, ticks
from .fields import GRAMMARS, Verdict
from .outcome import Outcome
from .services import SERVICES

log = logging.getLogger(__name__)

BARGE_IN = {"all": KEYS, "back": "*", "none": ""}
SILENCE = Verdict("wrong", "no key came")


async def run(call: Call) -> None:
    """Walk the call through the site's dialog until one side hangs up."""
    await Walk(call).run()


class Walk:
    """One caller's way through one dialog; the dialog in use when the call began stays to its end."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._dialog: Dialog = call.site.dialog
        self._settings: Settings = call.site.settings
        self._known = self._settings.model_dump(mode="json")
        self._values: dict[str, object] = {}
        self._secrets: set[str] = set()
        self._failures: Counter[str] = Counter()

    async def run(self) -> None:
        """Visit node after node."""
        self._call.limit(ticks(self._settings.dialog.longest_call))
        name = self._dialog.start if self._call.site.open else self._dialog.closed
        await self._call.connected()
        while True:
            name = await self._visit(name)

    async def _visit(self, name: str) -> str:
        """Do what a node does and return the next one's name."""
        node = self._dialog.nodes[name]
        self._call.node = node.title or name
        self._call.step("prompt", name)
        self._values |= node.values
        if node.form and (way := await self._fill(node)):
            return way
        await self._say(node.prompt, BARGE_IN[node.barge_in])
        if node.menu or node.branch:
            return await self._choose(node)
        if node.exit:
            await self._call.hang_up(node.exit)
        if self._call.take_key("*"):
            return self._back(node)
        if node.barge_in != "all":
            self._call.forget_keys()
        if node.submit:
            return await self._submit(name, node)
        return node.to or self._dialog.start

    def _back(self, node: Node) -> str:
        return node.parent or self._dialog.start

    # Forms.

    async def _fill(self, node: Node) -> str | None:
        """Ask for every field; None when all are filled, else where to go instead."""
        for field in node.form:
            if self._holds(field.when):
                way = await self._ask(node, field)
                if way is not None:
                    return way
        return None

    async def _ask(self, node: Node, field: FieldSpec) -> str | None:
        """Ask for one field until it is right, the caller goes back, or has failed too often."""
        grammar = GRAMMARS[field.grammar]
        verdict = SILENCE
        for _ in range(self._settings.dialog.attempts):
            await self._say(field.prompt)
            verdict = await self._collect(field)
            if verdict.kind == "done":
                self._values[field.field] = verdict.value
                if grammar.secret:
                    self._secrets.add(field.field)
                shown = grammar.masked(verdict.value) if grammar.private else verdict.value
                self._call.say("按键", shown)
                self._call.step("secret" if grammar.secret else "key", shown)
                return None
            if verdict.kind == "back":
                self._heard("*")
                return self._back(node)
            self._call.step("note", "没有按键" if verdict is SILENCE else "输入的位数或按键不对")
            self._call.forget_keys()
            await self._say(self._dialog.silent if verdict is SILENCE else field.wrong)
        return self._dialog.give_up if verdict is SILENCE else self._back(node)

    async def _collect(self, field: FieldSpec) -> Verdict:
        """Take keys until the field's grammar says what they are."""
        grammar, times = GRAMMARS[field.grammar], self._settings.dialog
        buffer, patience = "", ticks(times.first_digit)
        while True:
            key = await self._call.key(patience)
            if key is None:
                return SILENCE
            verdict = grammar.press(buffer, key)
            if verdict.kind == "done" and key != "#":
                self._call.swallow(ticks(times.swallow))
            if verdict.kind != "more":
                return verdict
            buffer, patience = buffer + key, ticks(times.inter_digit)

    # Services.

    async def _submit(self, name: str, node: Node) -> str:
        """Ask the service, say what its outcome says, and go where it goes."""
        assert node.submit is not None
        outcome = await self._serve(node.submit)
        if outcome is None:
            self._call.step("note", f"{node.submit} 出错")
            await self._say(self._dialog.fault)
            return self._back(node)
        self._values |= outcome.values
        self._call.step("outcome", f"{node.submit} {outcome.name}")
        way = node.outcomes[outcome.name]
        if way.retry:
            self._failures[name] += 1
        else:
            del self._failures[name]
        await self._say(way.say)
        if way.retry:
            return name if self._failures[name] < self._settings.dialog.attempts else self._dialog.give_up
        return way.to or self._dialog.start

    async def _serve(self, service: str) -> Outcome | None:
        """The service's outcome; None when it failed in a way nobody foresaw, which must not end the call."""
        fields = dict(self._values)
        for secret in self._secrets:  # a PIN lives no longer than the one look-up it was keyed for
            self._values.pop(secret, None)
        try:
            return await SERVICES[service].run(self._call, fields)
        except Exception as error:
            if self._call.cause is not None:
                raise
            log.error("%s: service %s failed", self._call.line, service, exc_info=error)
            return None

    # Menus.

    async def _choose(self, node: Node) -> str:
        """Wait for a key of the menu; its prompt has been said."""
        choices = self._choices(node)
        refusal = None
        for _ in range(self._settings.dialog.attempts):
            if refusal is not None:
                self._call.forget_keys()
                await self._say(refusal)
                await self._say(node.prompt, BARGE_IN[node.barge_in])
            key = await self._call.key(ticks(self._settings.dialog.first_digit))
            if key is not None and (key == "*" or key in choices):
                self._heard(key)
            if key == "*":
                return self._back(node)
            if key in choices:
                self._values |= choices[key].values
                return choices[key].to
            refusal = self._dialog.silent if key is None else self._dialog.invalid
            self._call.step("note", f"按键 {key} 无效" if key else "没有按键")
        if refusal is not None:
            await self._say(refusal)
        return self._dialog.give_up

    def _choices(self, node: Node) -> Mapping[str | None, Choice]:
        """The keys that lead somewhere from here, now."""
        choices = {**self._dialog.shortcuts, **node.menu}
        if node.branch is not None:
            listed = self._values[node.branch.choices]
            assert isinstance(listed, Mapping)
            for key, value in listed.items():
                choices[key] = Choice(to=node.branch.to, set={node.branch.value: value})
        return {key: choice for key, choice in choices.items() if self._holds(choice.when)}

    # Speaking and looking up.

    async def _say(self, items: Items, barge_in: str = KEYS) -> None:
        if items:
            await self._call.play(
                compose(items, self._scope(), self._call.site.library, self._settings.speech), barge_in
            )

    def _heard(self, key: str) -> None:
        self._call.say("按键", key)
        self._call.step("key", key)

    def _scope(self) -> Mapping[str, Any]:
        return ChainMap(self._values, self._known)

    def _holds(self, when: Condition | None) -> bool:
        return when is None or holds(when, self._scope())
