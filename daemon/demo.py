"""The demonstration: shipped settings, a fund database with every case, texts and PINs, all in one folder."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import desk
from ..config import settings as config
from ..config.settings import Settings
from . import demo_fund
from .web import Hint

# The cases of config/demo/fund.sql somebody trying the telephone page wants to hear; the numbers are fictional.
HINTS = (
    Hint("查询密码", "135790", "135790", "所有演示证件的密码"),
    Hint("正常账户", "990101198503070017", "990101198503070017", "余额 12345.67 元"),
    Hint("末位是 X", "99010119870316005X", "99010119870316005*", "余额 100000.05 元；X 用 * 键代替"),
    Hint("十五位证号", "990101600101123", "990101600101123#", "十五位证号要按 # 结束"),
    Hint("余额为零", "990101197511120059", "990101197511120059", "零元"),
    Hint("没有录入", "990101196001010074", "990101196001010074", "请到中心办理录入"),
    Hint("多个账户", "990101197809210030", "990101197809210030", "请到中心办理并户"),
    Hint("余额为空", "99010119820630004X", "99010119820630004*", "账号不存在"),
    Hint("有贷款", "990101199005150027", "990101199005150027", "贷款余额 283456.78 元（主菜单按 2）"),
    Hint("两笔贷款", "990101198802020087", "990101198802020087", "请到中心办理并户（主菜单按 2）"),
)


if TYPE_CHECKING:
    from ..desk.demo import FirstUser


class Demo(NamedTuple):
    """A demonstration that is ready to run; the user's password is known only when he is new."""

    settings: Settings
    user: FirstUser


def prepare(state: Path, **overrides: object) -> Demo:
    """Make the demo's data in `state` where they are not there yet. `overrides`: settings by dotted key."""
    state = state.absolute()
    fund = state / "fund.sqlite"
    if not fund.is_file():
        demo_fund.create(fund)
    ours: dict[str, object] = {
        "service.state": str(state),
        "fund.connection": demo_fund.connection(fund),
        "fund.sql": demo_fund.SQL.model_dump(),
    }
    with as_file(files("hotline.config") / "demo" / "hotline.toml") as path:
        settings = config.load(path, ours | overrides)
    desk.setup(state, recordings=settings.recordings())
    from ..desk import demo as desk_demo

    return Demo(settings, desk_demo.fill())
