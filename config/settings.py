"""What a centre can set: one TOML file, checked once, passed around as a passive object.

Every section is a model below; its field descriptions are the comments of hotline.toml. `load`
raises `SettingsError` whose text names file, section, key, value and what is allowed, in Chinese,
because a clerk reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Section(BaseModel):
    """A section of the file: an unknown key is an error, a checked value never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Centre(Section):
    """[centre] What prompts say about the centre."""

    name: str = Field("住房公积金管理中心", min_length=1, max_length=60)
    code: str = Field("C99010100000000", pattern=r"^[0-9A-Za-z]{1,20}$")
    phone: str = Field("0990-6512329", pattern=r"^[0-9-]{5,20}$")


class Service(Section):
    """[service] Where the service keeps what it knows."""

    state: Path = Path("var")
    open: bool = True  # false: callers hear the closed notice instead of the menu (A06)


class Web(Section):
    """[web] Pages on this machine."""

    host: str = "127.0.0.1"
    port: int = Field(8329, ge=1, le=65535)
    desk_port: int = Field(8330, ge=1, le=65535)


class Line(Section):
    """[lines.NAME] One analog port. Keys beyond these belong to its driver and are checked by it."""

    model_config = ConfigDict(extra="allow", frozen=True)
    driver: str
    rings: int = Field(2, ge=1, le=10)  # answer after so many rings; caller id comes between the first two


class Dialog(Section):
    """[dialog] What callers walk through, and how long they are waited for."""

    file: str = "city.yaml"  # a name in the shipped dialogs, or a path
    first_digit: Seconds = 8.0
    inter_digit: Seconds = 5.0
    swallow: Seconds = 3.0  # a '#' this soon after a complete entry is dropped (L01)
    attempts: int = Field(3, ge=1, le=9)
    longest_call: Seconds = 1800.0


class Speech(Section):
    """[speech] How numbers are read."""

    style: Literal["spoken", "plain"] = "spoken"  # spoken: 两千; plain: 二千
    yao: bool = True  # 1 in digit strings: 幺, else 一
    voice: str = "cmn-latn-pinyin+f3"
    rate: int = Field(165, ge=80, le=300)


class Identity(Section):
    """[identity] What a caller must key before data is read out."""

    pin: Literal["required", "off"] = "required"
    login: Literal["id_number", "account_number", "card_number"] = "id_number"
    read_back: Literal["full", "last_four"] = "full"
    wrong_per_call: int = Field(3, ge=1, le=9)
    wrong_per_day: int = Field(5, ge=1, le=20)
    wrong_per_number: int = Field(10, ge=1, le=100)


class FundSql(Section):
    """[fund.sql] One query each; `?` takes the parameters, output columns have the fixed names."""

    account: str
    account_by_number: str = ""
    account_by_card: str = ""
    loan: str
    unit: str = ""


class Fund(Section):
    """[fund] The centre's own database, read only."""

    connection: str = ""  # ODBC connection string; empty: no fund database
    connections: int = Field(4, ge=1, le=32)
    connect_timeout: Seconds = 3.0
    query_timeout: Seconds = 2.0
    deadline: Seconds = 5.0  # outer limit on the whole look-up: a frozen server blocks its driver
    setup: tuple[str, ...] = ()  # statements run on every new connection
    closed_states: tuple[str, ...] = ("03", "04", "05")
    loan_periods: Literal["total", "repaid"] = "total"
    sql: FundSql | None = None


class Recording(Section):
    """[recording] Complaints and suggestions."""

    folder: Path = Path("voice/prop")  # below service.state unless absolute
    longest: Seconds = 180.0
    shortest: Seconds = 1.0
    silence: Seconds = 10.0


class Extras(Section):
    """[extras] Services beyond the city flow; off means the key is neither announced nor accepted (A05)."""

    unit_account: bool = False


class Settings(Section):
    """The whole file."""

    centre: Centre = Centre()
    service: Service = Service()
    web: Web = Web()
    lines: dict[str, Line] = {}
    dialog: Dialog = Dialog()
    speech: Speech = Speech()
    identity: Identity = Identity()
    fund: Fund = Fund()
    recording: Recording = Recording()
    extras: Extras = Extras()
    tones: str = "cn"

    def recordings(self) -> Path:
        """The folder of kept recordings; the settings may name one outside the state folder."""
        return self.service.state / self.recording.folder


class SettingsError(ValueError):
    """The file cannot be used; the text says where, what is wrong and what is allowed."""


def load(path: Path, overrides: dict[str, Any] | None = None) -> Settings:
    """Read and check one settings file."""
    raise NotImplementedError
