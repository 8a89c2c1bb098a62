from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from rich.console import Console
from textual.binding import Binding
from textual.color import Color

from logscope.paths import shipped
from logscope.tui import theming
from logscope.tui.keymap import FOLDER, Keys, all_bindings, clashes, load_keymap
from logscope.tui.keynames import key_of
from logscope.tui.run import sixteen_colours
from logscope.tui.screens.help import HelpScreen
from logscope.tui.screens.picking import PickInput
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.styles import ROLES
from tests.tui.conftest import Opened


def test_shipped_themes_load_and_name_every_role() -> None:
    found = theming.load_themes([shipped("themes")])
    assert not found.errors
    assert {one.name for one in found.themes} == {
        "logscope-dark", "logscope-light", "logscope-high-contrast", "logscope-ansi16",
    }  # fmt: skip
    for theme in found.themes:
        assert set(ROLES) <= set(theme.variables), theme.name


def contrast(one: Color, other: Color) -> float:
    """WCAG 2.1, relative luminance and contrast ratio."""

    def luminance(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("name", "least"), [("dark", 4.0), ("light", 4.0), ("high-contrast", 7.0)])
def test_text_is_legible(name: str, least: float) -> None:
    theme = theming.read_theme(shipped("themes") / f"{name}.toml")
    behind = Color.parse(theme.background or "")
    for role in ROLES:
        if role in ("log-match", "log-cursor", "log-gap", "log-strip"):
            continue
        under = Color.parse(theme.variables["log-match"]) if role == "log-match-text" else behind
        ratio = contrast(under, Color.parse(theme.variables[role]))
        assert ratio >= least, (role, round(ratio, 2))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[colors]\nprimary = 'nonsense'", "colors.primary"),
        ("[colors]\nprimary = '#fff'\nprimery = '#fff'", "colors.primery"),
        ("[colors]\nprimary = '#fff'\n[roles]\nlog-eror = '#fff'", "roles.log-eror"),
        ("[colors]\nprimary = '#fff'\n[roles]\nlog-error = 7", "roles.log-error"),
        ("dark = 'yes'\n[colors]\nprimary = '#fff'", "dark"),
        ("[colors]\n", "colors.primary"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_broken_theme_is_told_with_file_and_key_and_skipped(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "good.toml").write_text("name = 'mine'\n[colors]\nprimary = '#336699'\n")
    found = theming.load_themes([tmp_path])
    assert [one.name for one in found.themes] == ["mine"]
    assert len(found.errors) == 1
    assert "bad.toml" in str(found.errors[0])
    assert told in str(found.errors[0])


async def test_a_users_theme_and_a_broken_one(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "logscope" / "themes").mkdir(parents=True)
    (tmp_path / "logscope" / "themes" / "mine.toml").write_text("name = 'mine'\n[colors]\nprimary = '#336699'\n")
    (tmp_path / "logscope" / "themes" / "bad.toml").write_text("name = 3")
    async with opened(theme="mine", size=(120, 40)) as driver:
        assert driver.app.theme == "mine"
        assert "bad.toml" in driver.text()


def scheme(**changes: str) -> str:
    colors = {f"base0{digit:X}": f"{digit * 16:02x}{digit * 16:02x}{255 - digit * 8:02x}" for digit in range(16)}
    return "scheme: odd\n" + "".join(f'{name}: "{value}"\n' for name, value in {**colors, **changes}.items())


def test_base16_schemes_are_themes_and_broken_ones_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "sea.yaml").write_text(scheme())
    palette = "\n".join("  " + line for line in scheme().splitlines()[1:])
    (tmp_path / "new.yaml").write_text(f"system: base16\nname: New\npalette:\n{palette}\n".replace(': "', ': "#'))
    (tmp_path / "bad.yaml").write_text(scheme(base03="zzz"))
    (tmp_path / "less.yml").write_text("base00: '000000'\n")
    (tmp_path / "worse.yaml").write_text("a: [\n")
    found = theming.load_themes([tmp_path])
    themes = {one.name: one for one in found.themes}
    assert set(themes) == {"sea", "new"}
    assert set(ROLES) <= set(themes["sea"].variables)
    assert themes["sea"].background == themes["new"].background == "#0000ff"
    told = "\n".join(map(str, found.errors))
    assert "bad.yaml:5: base03 is not a colour" in told
    assert "less.yml: base01 is missing" in told
    assert "worse.yaml:2" in told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[colors]\nprimary = '#fff'\n\n[roles]\nlog-eror = '#fff'", 5),
        ("[colors]\nprimary = 'nonsense'", 2),
        ("[colors]\nprimary = \n", 2),
        ("dark = 'yes'\n[colors]\nprimary = '#fff'", 1),
    ],
)
def test_the_line_of_what_is_wrong_is_told(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "bad.toml").write_text(text)
    error = theming.load_themes([tmp_path]).errors[0]
    assert error.line == line
    assert f"bad.toml:{line}" in str(error)


async def test_a_theme_that_is_edited_is_shown_at_once(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "logscope" / "themes"
    folder.mkdir(parents=True)
    text = "name = 'mine'\n[colors]\nprimary = '#336699'\n[roles]\nlog-service = '{}'\n"
    (folder / "mine.toml").write_text(text.format("#112233"))
    async with opened(theme="mine", size=(120, 40)) as driver:
        assert driver.app.style_table.color("log-service").get_truecolor() == (0x11, 0x22, 0x33)
        (folder / "mine.toml").write_text(text.format("#445566"))
        await driver.until(lambda: driver.app.style_table.color("log-service").get_truecolor() == (0x44, 0x55, 0x66))
        assert driver.app.style_table.color("log-service").get_truecolor() == (0x44, 0x55, 0x66)
        (folder / "mine.toml").write_text("name = 'mine'\n[colors]\nprimary = 7\n")
        await driver.until(lambda: "mine.toml:3" in driver.text())
        assert "mine.toml:3" in driver.text()
        assert driver.app.theme == "mine"
        assert driver.app.style_table.color("log-service").get_truecolor() == (0x44, 0x55, 0x66)


def test_keymaps_of_the_users_own_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "logscope" / "keymaps").mkdir(parents=True)
    (tmp_path / "logscope" / "keymaps" / "mine.toml").write_text('[records]\n\nfilter = "ctrl+g"\nfilters = "x"\n')
    assert "mine.toml:4" in str(load_keymap("mine")[1][0])
    (tmp_path / "logscope" / "keymaps" / "mine.toml").write_text('[records]\nfilter = "ctrl+g"\n')
    assert load_keymap("mine") == ({"records.filter": "ctrl+g"}, [])


@pytest.mark.parametrize("theme", ["light", "high-contrast", "ansi16"])
async def test_every_theme_paints_every_screen(opened: Opened, theme: str) -> None:
    async with opened(theme=theme) as driver:
        await driver.press("enter", "T", "enter", "escape", "escape", "D", "enter")
        assert "settled" in driver.text()


@pytest.mark.parametrize(
    "environ",
    [
        {"TERM": "xterm"}, {"TERM": "linux"}, {"TERM": "screen"}, {"TERM": "rxvt-16color"}, {"TERM": "xterm-256color"},
        {"TERM": "xterm-kitty"}, {"TERM": "xterm", "COLORTERM": "truecolor"}, {"TERM": "dumb"}, {"TERM": ""}, {},
    ],
)  # fmt: skip
def test_sixteen_colours_are_told_as_the_painter_tells_them(environ: dict[str, str]) -> None:
    painter = Console(force_terminal=True, _environ=environ)
    if not environ.get("TERM") or painter.is_dumb_terminal:
        assert not sixteen_colours(environ)
    else:
        assert sixteen_colours(environ) == (painter.color_system == "standard")
    assert sixteen_colours(environ | {"TEXTUAL_COLOR_SYSTEM": "standard"})
    assert not sixteen_colours(environ | {"TEXTUAL_COLOR_SYSTEM": "256"})


def test_every_binding_has_an_id_and_a_description() -> None:
    from textual.dom import DOMNode

    import logscope.tui

    def classes(base: type) -> set[type]:
        return {base} | {deep for one in base.__subclasses__() for deep in classes(one)}

    all_bindings()
    ids = []
    for owner in classes(DOMNode):
        if not owner.__module__.startswith(logscope.tui.__name__):
            continue
        for binding in vars(owner).get("BINDINGS", ()):
            assert isinstance(binding, Binding), owner
            assert binding.id, (owner, binding.key)
            assert binding.description, binding.id
            ids.append(binding.id)
    assert sorted(ids) == sorted(all_bindings())


def test_shipped_keymaps_have_no_clash() -> None:
    assert clashes(Keys({})) == []
    for path in FOLDER.glob("*.toml"):
        assert load_keymap(path.stem)[1] == [], path.name


def test_the_default_keymap_lists_every_key() -> None:
    data = tomllib.loads((FOLDER / "default.toml").read_text())
    listed = {f"{group}.{name}": keys for group, table in data.items() for name, keys in table.items()}
    assert listed == {name: ",".join(doc.keys) for name, doc in all_bindings().items()}


def test_every_key_is_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "investigator.md").read_text()
    missing = [name for name in all_bindings() if f"`{name}`" not in text]
    assert not missing


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[records]\nfilter = 'j'", "records.filter"),
        ("[records]\nfilters = 'j'", "mine.toml:2: unknown action 'records.filters'; perhaps records.filter"),
        ("[list]\n\ndown = 'j,ctl+g'", "mine.toml:3: 'ctl+g' is no key; write &"),
        ("[records]\ncopy = 'Y'\nexclude = 'j'", "mine.toml:3: j is both list.down and records.exclude"),
        ("[records]\nfilter = ''", "records.filter"),
        ("[records", "cannot be read"),
    ],
)
def test_a_bad_keymap_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    errors = load_keymap(str(path))[1]
    assert told in str(errors[0])
    assert "mine.toml" in str(errors[0])


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("&", "ampersand"), ("ampersand", "ampersand"), ("ctrl+g", "ctrl+g"), ("ctrl+\\", "ctrl+backslash"), ("+", "plus"),
        ("ctrl++", "ctrl+plus"), ("f1", "f1"), ("G", "G"), ("shift+right", "shift+right"), ("@", "at"), ("ö", "ö"),
        ("ctl+g", None), ("C-g", None), ("", None), ("nonsense", None), ("ctrl+", None),
    ],
)  # fmt: skip
def test_keys_are_written_as_characters_or_by_name(written: str, key: str | None) -> None:
    assert key_of(written) == key


async def test_a_bad_keymap_is_told_at_start(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[records]\nfilter = 'j'")
    async with opened(keymap=str(path), size=(120, 40)) as driver:
        assert "mine.toml" in driver.text()


async def test_a_users_keymap_changes_keys_and_hints(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "logscope").mkdir()
    (tmp_path / "logscope" / "keymap.toml").write_text('[records]\nfilter = "ctrl+g"\n')
    async with opened() as driver:
        assert "^G filter" in driver.text()
        await driver.press("ctrl+g")
        assert driver.screen.bar.is_open


async def test_help_and_palette_name_everything(opened: Opened) -> None:
    async with opened(size=(120, 60)) as driver:
        await driver.press("question_mark")
        text = driver.text()
        assert "Filter: keep what matches" in text
        await driver.press("escape", "ctrl+p")
        assert "Theme logscope-light" in driver.text() or "Search forward" in driver.text()
        await driver.type("switch steps")
        await driver.pilot.pause(0.5)
        await driver.press("enter")
        assert "Nothing narrowed yet" in driver.text()


async def test_every_small_list_and_question_has_help_too(opened: Opened) -> None:
    async with opened() as driver:
        for keys, title in (("~", "Trail"), ("c", "A list to choose from"), (":", ""), ("@", "Sources")):
            await driver.press({"@": "at"}.get(keys, keys))
            if keys == ":":
                await driver.type("actions")
                await driver.press("enter")
                title = "Facts"
            await driver.press("question_mark")
            assert isinstance(driver.app.screen, HelpScreen)
            text = driver.text()
            assert title in text
            assert "This screen" in text
            await driver.press("question_mark")
            assert not isinstance(driver.app.screen, HelpScreen)
            await driver.press("escape")


async def test_a_question_mark_is_text_once_something_is_typed_and_f1_is_help(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("c", "s", "question_mark")
        assert not isinstance(driver.app.screen, HelpScreen)
        assert driver.app.screen.query_one(PickInput).value == "s?"
        await driver.press("f1")
        assert isinstance(driver.app.screen, HelpScreen)
        await driver.press("escape")
        assert driver.app.screen.query_one(PickInput).value == "s?"


def test_the_help_of_the_records_has_a_head_for_every_key() -> None:
    ids = [one.id for one in RecordsScreen.own_bindings() if one.id]
    named = [end for _, ends in RecordsScreen.TOPICS for end in ends]
    assert sorted(named) == sorted(name.removeprefix("records.") for name in ids)


async def test_without_colours_the_strip_tells_of_errors(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as driver:
        assert "▲" not in driver.text().splitlines()[2]
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as driver:
        assert "▲" in driver.text().splitlines()[2]
