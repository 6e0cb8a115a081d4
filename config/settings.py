"""What a centre can set: one TOML file, checked once, passed around as a passive object.

Every section is a model below; the fields' descriptions, defaults and limits are what hotline.toml
prints as comments (config/template.py) and what a wrong value is answered with (config/explain.py).
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .explain import Location, problems

Seconds = Annotated[float, Field(gt=0, le=3600)]
ReleaseTone = Literal["busy", "congestion", "unobtainable", "dial", "howler", "sit", "notice"]


class Section(BaseModel):
    """A section of the file: an unknown key is an error, a checked value never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Centre(Section):
    """本中心的名称和电话，提示语里会说到。"""

    name: str = Field("住房公积金管理中心", min_length=1, max_length=60, description="中心名称，提示语和网页上显示。")
    code: str = Field(
        "C99010100000000",
        pattern=r"^[0-9A-Za-z]{1,20}$",
        description="中心代码，上报监管数据时用。",
        json_schema_extra={"allowed": "1 到 20 个字母或数字"},
    )
    phone: str = Field(
        "0990-6512329",
        pattern=r"^[0-9-]{5,20}$",
        description="“详情请拨打电话……”里念出的号码，逐位念。",
        json_schema_extra={"allowed": "5 到 20 个数字或横线"},
    )


class Service(Section):
    """服务本身。"""

    state: Path = Field(Path("var"), description="录音、记录、日志放在哪个文件夹。")
    open: bool = Field(True, description="false：来电只听到暂停服务的通知，听不到菜单。")
    log: Literal["debug", "info", "warning", "error"] = Field("info", description="日志写到多细。")
    engines: int = Field(
        1, ge=1, le=16, description="几个进程分担线路；一个进程忙不过来时才加，只有 Asterisk 的线路能分给几个进程。"
    )

    @field_validator("engines")
    @classmethod
    def _where_processes_can_be_led(cls, engines: int) -> int:
        if engines > 1 and sys.platform == "win32":
            raise ValueError(f"engines = {engines}：Windows 上只能用一个进程，须是 1")
        return engines


class Web(Section):
    """本机的网页。"""

    host: str = Field("127.0.0.1", description="网页在哪个地址上提供；0.0.0.0 是所有网卡。")
    port: int = Field(8329, ge=1, le=65535, description="电话机网页和状态页的端口。")
    desk_port: int = Field(8330, ge=1, le=65535, description="管理网页的端口。")

    @model_validator(mode="after")
    def _two_ports(self) -> Self:
        if self.port == self.desk_port:
            raise ValueError(f"port 和 desk_port 都是 {self.port}：须是两个不同的端口")
        return self


class Line(Section):
    """一条电话线；名字自取，例如 [lines.1]。下面三项以外的设置属于所选的驱动，由驱动检查。"""

    model_config = ConfigDict(extra="allow", frozen=True)
    driver: str = Field(description="用哪种设备接线。", examples=["simulated"])
    rings: int = Field(2, ge=1, le=10, description="响几声后应答；来电号码多在第一、二声之间送来，写 1 就收不到。")
    count: int = Field(
        1, ge=1, le=1000, description="同样的线有几条；多于一条时，名字是 名字-1、名字-2……。只管一个端口的驱动不能写。"
    )

    def names(self, section: str) -> list[str]:
        """What the lines of [lines.SECTION] are called."""
        return [f"{section}-{n}" for n in range(1, self.count + 1)] if self.count > 1 else [section]


class Dialog(Section):
    """来电者走的菜单，以及等他多久（秒）。"""

    file: str = Field("city.yaml", description="流程文件：先在本设置文件旁边找，再在随程序提供的流程里找。")
    first_digit: Seconds = Field(8.0, description="提示语说完后，等第一个键多久。")
    inter_digit: Seconds = Field(5.0, description="输入号码时，两个键之间最多等多久。")
    swallow: Seconds = Field(3.0, description="号码已输满后，多久之内补按的 # 不算按键。")
    attempts: int = Field(3, ge=1, le=9, description="连续几次没有按键或按错后，有礼貌地结束通话。")
    longest_call: Seconds = Field(1800.0, description="一次通话最长多久。")


class Hangup(Section):
    """怎样知道来电者已经挂机；每次判断的理由都写进通话记录。"""

    ignored_tones: tuple[ReleaseTone, ...] = Field(
        (),
        description="信号音方案里写着 released 的音都算对方已挂机；这里写哪几类不算，例如 dial。",
    )
    polarity: bool = Field(True, description="线路设备报告极性反转，是否算对方已挂机；交换机另有用途时写 false。")
    silence: float = Field(
        60.0, ge=0, le=3600, description="轮到来电者按键或说话时，累计多少秒没有按键也没有声音就挂机；0：不因此挂机。"
    )
    silence_listening: float = Field(
        600.0, ge=0, le=3600, description="连同听提示语的时间，多少秒没有按键也没有声音就挂机；0：不因此挂机。"
    )


class Speech(Section):
    """数字怎么念，合成语音怎么发声。"""

    style: Literal["spoken", "plain"] = Field("spoken", description="spoken：两千；plain：二千。")
    yao: bool = Field(True, description="true：号码里的 1 念“幺”；false：念“一”。")
    voice: str = Field("cmn-latn-pinyin+f3", description="espeak-ng 的嗓音，只用于没有录音的文字。")
    rate: int = Field(165, ge=80, le=300, description="合成语音的语速，每分钟音节数。")


class Identity(Section):
    """报数据之前，来电者须证明自己是谁。"""

    pin: Literal["required", "off"] = Field(
        "required", description="required：证件号以外还要六位查询密码。off：任何人按对号码就能听到余额，须自担风险。"
    )
    login: Literal["id_number", "account_number", "card_number"] = Field(
        "id_number", description="用什么号码登录：身份证号、公积金账号、联名卡号。"
    )
    read_back: Literal["full", "last_four"] = Field("full", description="报结果前念全部身份证号，还是只念后四位。")
    wrong_per_day: int = Field(5, ge=1, le=20, description="一个账户一天错几次就锁到第二天。")
    wrong_per_number: int = Field(10, ge=1, le=100, description="一个来电号码一天错几次就锁到第二天。")


class FundSql(Section):
    """查公积金数据库的语句，每项一条；? 是参数，输出列的名字须与例子相同。"""

    account: str = Field(
        description="按身份证号查个人账户；一次给出全部写法，所以是 IN (?, ?, ?, ?)。",
        examples=[
            "SELECT zjhm, grzh, xingming, sjhm, jzny, yjce, grzhye, grzhzt FROM v_ivr_gjj WHERE zjhm IN (?, ?, ?, ?)"
        ],
    )
    account_by_number: str = Field("", description="按公积金账号查个人账户。")
    account_by_card: str = Field("", description="按联名卡号查个人账户。")
    loan: str = Field(
        description="按身份证号查贷款。",
        examples=[
            "SELECT zjhm, dkzh, dkqs, yhqs, dkye, dqyhje, ydhkr, dkzhzt FROM v_ivr_dk WHERE zjhm IN (?, ?, ?, ?)"
        ],
    )
    unit: str = Field("", description="按单位账号查单位账户。")


class Fund(Section):
    """中心的公积金数据库，只读，经 ODBC。"""

    connection: str = Field(
        "",
        repr=False,
        description='ODBC 连接串，例如 "DRIVER={PostgreSQL Unicode};SERVER=…;DATABASE=…;UID=…;PWD=…"；空：没有数据库。',
        json_schema_extra={"writeOnly": True},
    )
    connections: int = Field(4, ge=1, le=32, description="最多同时开几个连接。")
    connect_timeout: Seconds = Field(3.0, description="连接最多等几秒。")
    query_timeout: Seconds = Field(2.0, description="一条语句最多等几秒。")
    deadline: Seconds = Field(5.0, description="一次查询总共最多等几秒，过了就对来电者说系统忙。")
    setup: tuple[str, ...] = Field((), description="每个新连接上先执行的语句。")
    encoding: str = Field("utf-8", description="驱动送来的文字是什么编码；老系统常用 gbk。")
    closed_states: tuple[str, ...] = Field(("03", "04", "05"), description="哪些账户状态算已销户，不计入账户数。")
    closed_loans: tuple[str, ...] = Field(("3", "8"), description="哪些贷款状态算已结清或作废；另有贷款时不计。")
    closed_units: tuple[str, ...] = Field(("04",), description="哪些单位账户状态算已销户。")
    loan_periods: Literal["total", "repaid"] = Field("total", description="“还款期数”念总期数还是已还期数。")
    sql: FundSql | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError(f"encoding = {name}：没有这种编码，须是 utf-8、gbk、gb18030 之类") from None
        return name

    @model_validator(mode="after")
    def _sql_for_connection(self) -> Self:
        if self.connection and self.sql is None:
            raise ValueError("写了 connection，却没有 [fund.sql]：须写查询语句")
        return self


# Where the printed call flow puts recordings on a Windows machine; elsewhere they lie in the state folder.
RECORDINGS = Path(r"D:\voice\prop" if sys.platform == "win32" else "voice/prop")


class Recording(Section):
    """投诉、建议的录音。"""

    folder: Path = Field(
        RECORDINGS,
        examples=["voice/prop"],
        description="录音文件夹；相对路径从 service.state 算起。Windows 上的出厂值是 D:\\voice\\prop。",
    )
    longest: Seconds = Field(180.0, description="一段录音最长几秒。")
    shortest: Seconds = Field(1.0, description="短于几秒的不留。")
    silence: Seconds = Field(10.0, description="静默几秒后认为说完了。")

    @model_validator(mode="after")
    def _shortest_first(self) -> Self:
        if self.shortest >= self.longest:
            raise ValueError(f"shortest = {self.shortest:g}：须小于 longest（{self.longest:g}）")
        return self


class Extras(Section):
    """市级流程以外的服务；false：菜单里不念，按了也不理。"""

    unit_account: bool = Field(False, description="单位账户查询。")


class Settings(Section):
    """The whole file."""

    tones: str = Field("cn", description="信号音方案：先在本设置文件旁边找，再在随程序提供的方案里找。")
    centre: Centre = Centre()
    service: Service = Service()
    web: Web = Web()
    lines: dict[str, Line] = {}
    dialog: Dialog = Dialog()
    hangup: Hangup = Hangup()
    speech: Speech = Speech()
    identity: Identity = Identity()
    fund: Fund = Fund()
    recording: Recording = Recording()
    extras: Extras = Extras()

    @model_validator(mode="after")
    def _sql_for_login(self) -> Self:
        needed = {"account_number": "account_by_number", "card_number": "account_by_card"}.get(self.identity.login)
        if needed and self.fund.sql is not None and not getattr(self.fund.sql, needed):
            raise ValueError(f'[identity] login = "{self.identity.login}"：须在 [fund.sql] 写 {needed}')
        return self

    @model_validator(mode="after")
    def _one_line_a_name(self) -> Self:
        seen: dict[str, str] = {}
        for section, line in self.lines.items():
            for name in line.names(section):
                if name in seen:
                    raise ValueError(f"[lines.{section}] 和 [lines.{seen[name]}] 里都有线路 {name}：请换一个段名")
                seen[name] = section
        return self

    @model_validator(mode="after")
    def _dialog_waits_less(self) -> Self:
        for place, wait in (
            ("[dialog] first_digit × attempts", self.dialog.first_digit * self.dialog.attempts),
            ("[dialog] inter_digit", self.dialog.inter_digit),
            ("[recording] silence", self.recording.silence),
        ):
            if 0 < self.hangup.silence <= wait:
                raise ValueError(f"{place} = {wait:g}：须小于 [hangup] silence（{self.hangup.silence:g}）")
        return self

    def recordings(self) -> Path:
        """The folder of kept recordings; the settings may name one outside the state folder."""
        return self.service.state / self.recording.folder


class SettingsError(ValueError):
    """The file cannot be used; the text says where, what is wrong and what is allowed, a line for each fault."""


def find(chosen: Path | None = None) -> Path:
    """The settings file in use: the one chosen, $HOTLINE_CONFIG, ./hotline.toml, /etc/hotline/hotline.toml.

    A file that was named is not passed over when it is missing: `load` says so. Raises SettingsError
    if none was named and none lies in the usual places.
    """
    named = chosen or os.environ.get("HOTLINE_CONFIG")
    if named:
        return Path(named)
    usual = (Path("hotline.toml"), Path("/etc/hotline/hotline.toml"))
    for path in usual:
        if path.is_file():
            return path
    looked = "、".join(str(path.absolute()) for path in usual)
    raise SettingsError(f"没有找到设置文件（找过 {looked}）：请用 --config 或环境变量 HOTLINE_CONFIG 指出")


def load(path: Path, overrides: Mapping[str, object] | None = None) -> Settings:
    """Read and check one settings file.

    `overrides` holds values that go before the file's, by dotted key: {"service.state": "/tmp/x"}.
    Relative paths are meant from the folder the file lies in. Raises SettingsError.
    """
    document = read_toml(path)
    for dotted, value in (overrides or {}).items():
        _put(document, dotted, value)
    try:
        # Strict JSON is what TOML means: "yes" is no bool and true no number, yet a list makes a
        # tuple and text a path, which strict mode allows from JSON alone.
        settings = Settings.model_validate_json(json.dumps(document, default=str), strict=True)
    except ValidationError as error:
        found = problems(error, Settings)
        raise SettingsError("\n".join(f"{path}: {_heading(at)}{text}" for at, text in found)) from None
    return _anchored(settings, path.absolute().parent)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables; raises SettingsError with the line where it is no TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Notepad's mark at the start is no fault
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(f"{path}: 第 {line} 行不是 UTF-8 编码：请在编辑器里另存为 UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {_syntax(str(error), text)}") from None
    except FileNotFoundError:
        raise SettingsError(f"{path}: 没有这个文件") from None
    except OSError as error:
        raise SettingsError(f"{path}: 读不了：{error.strerror}") from None


def _syntax(message: str, text: str) -> str:
    """Tomllib tells the place only inside its English sentence."""
    reason, _, place = message.rpartition(" (at ")
    position = re.fullmatch(r"line (\d+), column (\d+)\)", place)
    if not position:
        return f"文件末尾不完整：须是 TOML（{reason or message}）"
    line, column = map(int, position.groups())
    written = text.splitlines()[line - 1 : line]
    return f"第 {line} 行第 {column} 列看不懂：{''.join(written).strip()!r}，须是 TOML（{reason}）"


def _put(document: dict[str, Any], dotted: str, value: object) -> None:
    *sections, key = dotted.split(".")
    for name in sections:
        document = document.setdefault(name, {})
    document[key] = value


def _heading(section: Location) -> str:
    return f"[{'.'.join(map(str, section))}] " if section else ""


def _anchored(settings: Settings, folder: Path) -> Settings:
    """The same settings with nothing left that depends on the current folder."""

    def beside(name: str) -> str:
        return str(folder / name) if (folder / name).is_file() else name

    return settings.model_copy(
        update={
            "service": settings.service.model_copy(update={"state": folder / settings.service.state}),
            "dialog": settings.dialog.model_copy(update={"file": beside(settings.dialog.file)}),
            "tones": beside(settings.tones),
        }
    )
