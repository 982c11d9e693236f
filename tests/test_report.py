"""The report, looked at in a real browser: what it shows is what the tables hold."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from shlex import quote, split

import pytest
from support.browser import PHONE, SCREEN, chromium, opened
from support.mounts import mounted
from support.sessions import no_spark, without_session
from support.shop import INTERACTIONS, Shop, stored

from rfm_spark.app.loading import load_settings
from rfm_spark.app.report.job import report_pages
from rfm_spark.app.report.rendering import rendered
from rfm_spark.cli import exit_code
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import (
    Chart,
    Choice,
    Data,
    Field,
    Figure,
    Figures,
    Grid,
    HeatMap,
    Page,
    ScoreCells,
    Words,
)
from rfm_spark.run import Run
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.warehouse import Warehouse

BEFORE, DAY = date(2025, 2, 20), date(2025, 3, 20)
PAGES = ("Overview", "RFM", "Segments", "Clusters", "Cohorts", "Revenue")
HARM = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def reported(finished_shop, run, tmp_path_factory) -> Shop:
    """The finished shop on a second, earlier day, with moves between the two."""
    folder = tmp_path_factory.mktemp("reported")
    without = shutil.ignore_patterns("snapshots")
    shutil.copytree(finished_shop.folder, folder, dirs_exist_ok=True, ignore=without)
    shop = Shop(folder)
    run(shop.config, shop.raw, shop.warehouse, "rfm", BEFORE)
    run(shop.config, shop.raw, shop.warehouse, "moves", DAY)
    return shop


@pytest.fixture(scope="module")
def written(reported):
    """Writes a report without Spark; the exit code."""

    def report(out: Path, *options: object) -> int:
        places = ["--config", reported.config, "--warehouse", reported.warehouse, "--out", out]
        patch = pytest.MonkeyPatch()
        with patch.context() as patched:
            patched.setattr("rfm_spark.cli.sessions.local_session", lambda **_: no_spark())
            return exit_code([str(one) for one in ("report", *places, *options)])

    return report


@pytest.fixture(scope="module")
def everything(reported, written) -> Path:
    """The report that tells money of single customers too."""
    out = reported.folder / "everything.html"
    assert written(out, "--set", "report.minimum_customers=1") == 0
    return out


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def go_to(page, name):
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", level=2, name=name, exact=True).wait_for()


def values(page, selector):
    """By field, the numbers that cells of a table carry."""
    found = page.locator(selector).evaluate_all(
        "cells => cells.map(one => [one.dataset.field, one.dataset.value])"
    )
    return [(field, None if value == "" else float(value)) for field, value in found]


def of_day(shop, table, **where):
    rows = stored(shop.warehouse, table)
    return [r for r in rows if all(r[k] == v for k, v in {"as_of": DAY, **where}.items())]


@pytest.mark.parametrize(
    ("theme", "width"), [("light", SCREEN), ("dark", SCREEN), ("light", PHONE), ("dark", PHONE)]
)
def test_every_page_opens_without_a_word_of_complaint(browser, everything, theme, width):
    with opened(browser, everything, theme, width) as (page, complaints):
        assert page.locator("nav a").all_inner_texts() == list(PAGES)
        assert page.locator(".plot").count() == page.locator(".plot svg").count() > 0
        for name in PAGES:
            go_to(page, name)
            assert page.locator("main h2:visible").all_inner_texts() == [name]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert complaints == []


def test_paper_has_every_page_and_no_command(browser, everything):
    with opened(browser, everything, "dark") as (page, complaints):
        page.emulate_media(media="print", color_scheme="dark")
        page.set_viewport_size({"width": 720, "height": 1000})
        assert page.locator("main h2:visible").all_inner_texts() == list(PAGES)
        assert page.locator(".command:visible").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 720
        body = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert body == "rgb(255, 255, 255)"
        assert complaints == []


def test_segments_are_those_of_the_table(browser, everything, reported):
    rows = [r for r in of_day(reported, "segments", profile="purchase") if r["customers"]]
    assert rows
    with opened(browser, everything) as (page, _):
        go_to(page, "Segments")
        grid = page.get_by_role("region", name="The segments", exact=True).first
        shown = {
            row.locator("th").inner_text(): dict(values(row, "td"))
            for row in grid.locator("tbody tr").all()
        }
        for row in rows:
            told = shown[row["segment"]]
            for name in ("customers", "revenue_cents", "customer_share", "revenue_share"):
                assert told[name] == row[name]
            command = page.locator("code", has_text=f"--segment {quote(row['segment'])} --profile")
            assert "--as-of 2025-03-20" in command.first.inner_text()


def test_cells_are_those_of_the_table_and_can_be_picked(browser, everything, reported):
    rows = {r["rfm_cell"]: r for r in of_day(reported, "rfm_cells", profile="purchase")}
    full = [cell for cell, row in sorted(rows.items(), reverse=True) if row["customers"]]
    with opened(browser, everything) as (page, complaints):
        go_to(page, "RFM")
        cells = page.locator(".option.shown .cells").first
        shown = cells.locator("[data-cell]").evaluate_all(
            "all => all.map(one => [one.dataset.cell, one.querySelector('.measure').innerText])"
        )
        assert {cell: int(text) for cell, text in shown} == {
            cell: row["customers"] for cell, row in rows.items()
        }
        cells.locator(f"[data-cell='{full[0]}']").click()
        assert picked(cells) == expected(rows, full[:1])
        assert cells.locator("code").inner_text().endswith(f"--profile purchase --cell {full[0]}")
        cells.locator(f"[data-cell='{full[1]}']").click(modifiers=["Control"])
        assert picked(cells) == expected(rows, full[:2])
        # From one corner to the other: all cells of the lower half of R, and of all F and M.
        drag(page, cells.locator("[data-cell='355']"), cells.locator("[data-cell='111']"))
        assert picked(cells) == expected(rows, [one for one in rows if one[0] <= "3"])
        assert cells.locator("[aria-selected=true]").count() == 75
        cells.get_by_label("revenue, USD").check()
        shown = cells.locator(f"[data-cell='{full[0]}'] .measure").inner_text()
        assert float(shown) == pytest.approx(rows[full[0]]["revenue_cents"] / 100, abs=0.1)
        assert complaints == []


def drag(page, one, other):
    for tile, act in ((one, page.mouse.down), (other, page.mouse.up)):
        box = tile.bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + 5, steps=10)
        act()


def picked(cells):
    """What is told of the picked cells, by its title."""
    told = cells.locator(".picked dl > div").evaluate_all(
        "all => all.map(one => [one.querySelector('dt').innerText, one.querySelector('dd')])"
        ".map(([name, value]) => [name, Number(value.dataset.value)])"
    )
    text = cells.locator(".picked p").first.inner_text()
    return {"customers": int(text.split()[0].replace(",", "")), **dict(told)}


def expected(rows, cells):
    """The same, from the rows of the table."""
    some, everybody = [rows[cell] for cell in cells], rows.values()
    customers, of_everybody = (sum(row["customers"] for row in of) for of in (some, everybody))
    revenue, of_all = (sum(row["revenue_cents"] for row in of) / 100 for of in (some, everybody))

    def mean(name):
        return sum((r[name] or 0) * r["customers"] for r in some) / customers

    return pytest.approx(
        {
            "customers": customers,
            "share of customers": customers / of_everybody,
            "revenue, USD": revenue,
            "share of revenue shown": revenue / of_all,
            "revenue a customer": revenue / customers,
            "times the average": revenue / customers / (of_all / of_everybody),
            "days since the last time": mean("average_recency_days"),
            "frequency": mean("average_frequency"),
        }
    )


def test_cells_are_picked_by_keyboard_alone(browser, everything, reported):
    rows = {r["rfm_cell"]: r for r in of_day(reported, "rfm_cells", profile="purchase")}
    with opened(browser, everything) as (page, _):
        press(page, "Tab", until="document.activeElement.innerText === 'RFM'")
        page.keyboard.press("Enter")
        press(page, "Tab", until="document.activeElement.dataset.cell === '555'")
        cells = page.locator(".option.shown .cells").first
        page.keyboard.press("Space")
        assert chosen(cells) == ["555"]
        # To the left of the best M of a lower R lies the worst M of the one above.
        for key in ("PageDown", "ArrowDown", "ArrowLeft", "Enter"):
            page.keyboard.press(key)
        assert chosen(cells) == ["541"]
        for key in ("Home", "Escape", "Space", "Shift+ArrowRight", "Shift+ArrowDown"):
            page.keyboard.press(key)
        assert chosen(cells) == ["534", "535", "544", "545"]
        assert cells.locator("[data-cell][tabindex='0']").count() == 1
        page.keyboard.press("Escape")
        assert chosen(cells) == []
        assert len(rows) == 125


def press(page, key, until):
    for _ in range(60):
        if page.evaluate(until):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never led there")


def chosen(cells):
    return sorted(
        cells.locator("[aria-selected=true]").evaluate_all("all => all.map(o => o.dataset.cell)")
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_anybody_from_reading_a_page(browser, everything, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with opened(browser, everything, "light") as (page, _):
        if theme == "dark":
            page.get_by_role("button", name="Dark").click()
        for name in PAGES:
            go_to(page, name)
            page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
            found = axe.run(page).response["violations"]
            serious = [one for one in found if one["impact"] in {"serious", "critical"}]
            told = [(o["id"], [n["html"][:200] for n in o["nodes"][:3]]) for o in serious]
            assert told == [], name


def test_the_theme_follows_the_reader_and_the_switch(browser, everything):
    for theme in ("light", "dark"):
        with opened(browser, everything, theme) as (page, _):
            switch = page.get_by_role("button", name="Dark")
            is_dark = [page.evaluate("getComputedStyle(document.body).backgroundColor")]
            assert switch.get_attribute("aria-pressed") == str(theme == "dark").lower()
            switch.click()
            is_dark.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            pair = ["rgb(255, 255, 255)", "rgb(20, 25, 31)"]
            assert is_dark == (pair if theme == "light" else pair[::-1])


def test_cohorts_are_those_of_the_table_and_those_in_progress_are_hatched(
    browser, everything, reported
):
    rows = of_day(reported, "cohorts", origin="receipt", grain="month", kind="calendar")
    with opened(browser, everything) as (page, _):
        go_to(page, "Cohorts")
        shown = (
            page.locator("#cohorts .option.shown .heat")
            .first.locator("td[data-row]")
            .evaluate_all(
                "cells => cells.map(o => [o.dataset.row, Number(o.dataset.column), o.dataset.value,"
                " o.classList.contains('running'), o.innerText])"
            )
        )
        rows_of_curve = page.locator("#cohorts .option.shown figure").first.locator("tbody tr")
        curve = {
            int(one.locator("th").text_content()): dict(values(one, "td"))["retention"]
            for one in rows_of_curve.all()
        }
    periods = {column for _, column, *_ in shown}
    told = {(row, column): (value, runs) for row, column, value, runs, _ in shown}
    assert told == {
        (f"{row['cohort']:%Y-%m}", row["period_index"]): (
            "" if row["retention"] is None else f"{row['retention']}",
            not row["is_complete"],
        )
        for row in rows
        if row["period_index"] in periods
    }
    pooled = {}
    for row in rows:
        if row["is_complete"] and row["period_index"] > 0:
            k, pair = row["period_index"], (row["active"], row["eligible"])
            pooled[k] = [sum(of) for of in zip(pooled.get(k, (0, 0)), pair, strict=True)]
    assert curve == {k: active / eligible for k, (active, eligible) in pooled.items()}
    hatched = [text for *_, runs, text in shown if runs]
    assert hatched
    assert all("so far" in text or "in progress" in text for text in hatched)


def test_clusters_are_those_of_the_table(browser, everything, reported):
    rows = sorted(of_day(reported, "clusters"), key=lambda row: row["cluster"])
    with opened(browser, everything) as (page, _):
        go_to(page, "Clusters")
        grid = page.get_by_role("region", name="What they bring").locator("tbody tr")
        shown = [dict(values(one, "td[data-value]:not(.text)")) for one in grid.all()]
        names = (
            "customers", "customer_share", "revenue_cents", "revenue_share",
            "revenue_per_customer_cents",
        )  # fmt: skip
        assert shown == [pytest.approx({name: row[name] for name in names}) for row in rows]


def test_the_overview_tells_customers_money_and_the_quality_of_the_data(
    browser, everything, reported
):
    def of_segments(day):
        rows = stored(reported.warehouse, "segments")
        rows = [r for r in rows if (r["profile"], r["as_of"]) == ("purchase", day)]
        return [sum(row[name] for row in rows) for name in ("customers", "revenue_cents")]

    customers, revenue = of_segments(DAY)
    _, before = of_segments(BEFORE)
    with opened(browser, everything) as (page, _):
        shown = page.locator("#overview .figures > div").evaluate_all(
            "all => all.map(o => [o.querySelector('dt').innerText,"
            " Number(o.querySelector('dd').dataset.value)])"
        )
        told = dict(shown)
        assert told["customers scored"] == customers
        assert told["revenue"] == revenue
        assert told["have ever bought"] == sum(
            row["cohort_size"] for row in of_day(reported, "cohorts") if row["period_index"] == 0
        )
        moves = of_day(reported, "segment_moves", profile="purchase", since=BEFORE)
        for cause, title in (("first", "came for the first time"), ("stayed", "stayed in it")):
            assert told[title] == sum(r["customers"] for r in moves if r["cause"] == cause)
        change = page.locator("#overview .change").nth(1).inner_text()
        assert change.startswith(f"▲ {(revenue - before) / 100:.2f} more")
        assert change.endswith("since 2025-02-20")
        sources = page.get_by_role("region", name="How good the data are").locator("tbody tr")
        rejected = {
            one.locator("th").inner_text(): dict(values(one, "td"))["rejected_rows"]
            for one in sources.all()
        }
        [row] = stored(reported.warehouse, "quarantine")
        assert rejected["receipts"] == 1
        reasons = page.get_by_role("region", name="Why rows are in quarantine").locator("tbody th")
        assert reasons.all_inner_texts() == [one.replace("_", " ") for one in row["reasons"]]


def test_money_of_few_customers_is_not_in_the_file(browser, written, reported):
    out = reported.folder / "few.html"
    assert written(out) == 0
    rows = of_day(reported, "rfm_cells", profile="purchase")
    full = [row for row in rows if row["customers"]]
    assert max(row["customers"] for row in full) < 5
    with opened(browser, out) as (page, complaints):
        go_to(page, "RFM")
        cells = page.locator(".option.shown .cells").first
        numbers = cells.locator("script").evaluate("one => JSON.parse(one.textContent)")
        assert all(one["revenue_cents"] is None for one in numbers if one["customers"])
        cells.locator(f"[data-cell='{full[0]['rfm_cell']}']").click()
        assert "Without the money of 1 with too few customers" in cells.inner_text()
        assert "revenue, USD" not in picked(cells)
        cells.get_by_label("revenue, USD").check()
        assert cells.locator("[data-cell]", has_text="few").count() == len(full)
        assert complaints == []
    for row in of_day(reported, "segments", profile="purchase"):
        if 0 < row["customers"] < 5:
            assert f'data-value="{row["revenue_cents"]}"' not in out.read_text(encoding="utf-8")


def harmful_pages() -> list[Page]:
    """Every kind of block, with names that would run if they were taken for code."""
    text, customers = Field("name", f"name{HARM}"), Field("customers", "customers", "count")
    money = Field("money", "money", "money")
    rows = [{"name": f"{n}\"'{HARM}", "customers": 9, "money": 900, "day": DAY} for n in (1, 2)]
    data = Data((text, customers, money), rows)
    cell = {"r_score": 1, "f_score": 1, "m_score": 1, "rfm_cell": "111", "segment": HARM, **rows[0]}
    named = [text, customers, Field("rfm_cell", "cell"), Field("segment", "segment")]
    choice = Choice(HARM, {f"{HARM}{n}": [Words(f"{HARM} {n}")] for n in (1, 2)})
    listed = {**rows[0], "command": ("--segment", f"`id`$(id)'{HARM}")}
    return [
        Page("Overview", [Words(HARM), Figures([Figure(HARM, 1, before=2, note=HARM)], HARM)]),
        Page(f"Harm {HARM}", [choice, Grid(HARM, data, HARM), Chart(
            HARM, data, "map", "name", "customers", shade="money", note=HARM
        )]),
        Page("Charts", [
            Chart(HARM, data, "bars", "name", "customers"),
            Chart(HARM, data, "lines", "customers", "money", series="name"),
            HeatMap(HARM, data, "name", "name", "customers", [row["name"] for row in rows]),
            ScoreCells(HARM, Data(named, [cell]), 1, ("--profile", HARM)),
            Grid("lists", Data((text, Field("command", "list", "command")), [listed])),
        ]),
    ]  # fmt: skip


def test_names_do_no_harm(browser, tmp_path):
    out = tmp_path / "harm.html"
    euro = MoneyFormat(f"€{HARM}", 2)
    out.write_text(rendered(harmful_pages(), DAY, euro, 5, ["rfm-spark", "list"]), encoding="utf-8")
    with opened(browser, out) as (page, complaints):
        for name in page.locator("nav a").all_inner_texts():
            go_to(page, name)
        go_to(page, f"Harm {HARM}")
        page.locator(f"input[value='{HARM}2']").check()
        assert (
            page.locator("#harm-script-alert-1-script .words:visible").inner_text() == f"{HARM} 2"
        )
        go_to(page, "Charts")
        page.locator("[data-cell='111']").click()
        assert f"Segments: {HARM} 100 %" in page.locator(".picked").inner_text()
        command = page.locator("#charts td code").inner_text()
        assert split(command) == ["rfm-spark", "list", "--segment", f"`id`$(id)'{HARM}"]
        assert page.locator("script:not([type])").count() == 1
        assert page.locator("text[aria-hidden=true], text", has_text=HARM).count() > 0
        assert complaints == []


def test_what_cannot_be_written_is_told_and_leaves_nothing(written, reported, tmp_path, capsys):
    there = tmp_path / "there.html"
    there.write_text("mine")
    for out, options, told in [
        (there, (), "is there already; remove it, or name another file"),
        (tmp_path, (), "is there already"),
        (tmp_path / "none" / "a.html", (), f"there is no folder '{tmp_path / 'none'}'; make it"),
        (tmp_path / "a.html", ("--as-of", "2025-03-19"), "no scores are stored of that day"),
        (tmp_path / "a.html", ("--set", "report.minimum_customers=0"), "minimum_customers"),
    ]:
        assert written(out, *options) == 2
        shown = capsys.readouterr()
        assert told in shown.err
        assert shown.out == ""
        assert [one.name for one in tmp_path.iterdir()] == ["there.html"]
    assert there.read_text() == "mine"


def test_a_report_that_fails_half_way_leaves_nothing(written, tmp_path, monkeypatch, capsys):
    def full(self, *_, **__):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert written(tmp_path / "a.html") == 2
    assert "cannot be written (No space left on device)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_what_draws_it_is_told_what_to_install(written, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rfm_spark.app.report.job.find_spec", lambda _: None)
    assert written(tmp_path / "a.html") == 2
    assert "pip install 'rfm-spark[report]'" in capsys.readouterr().err


def test_the_report_is_one_small_file_of_aggregates(everything, reported, monkeypatch):
    """No table of customers is read, so nothing grows with them."""
    assert everything.stat().st_size < 6_000_000
    read = []

    def rows(self, table, where=None, columns=None):
        read.append(table)
        return direct_rows(self, table, where, columns)

    direct_rows = Warehouse.rows
    monkeypatch.setattr(Warehouse, "rows", rows)
    assert pages_of(reported, without_session(), str(reported.warehouse))
    assert len(read) > 10
    assert not [one.name for one in read if {"customer_id", "raw"} & set(one.column_names)]


def test_spark_tells_the_same(spark, reported):
    """As where the warehouse is out of the reach of delta-rs."""
    without = pages_of(reported, without_session(), str(reported.warehouse))
    place = mounted(spark, reported.warehouse)
    assert pages_of(reported, SessionOnDemand.of(spark), place) == without


def test_a_shop_that_tells_no_purchases_is_told_of_no_money(reported, tmp_path):
    shop = Shop(tmp_path)
    shop.configure('[business]\ntime_zone = "Europe/Berlin"\n' + INTERACTIONS)
    pages = pages_of(shop, without_session(), str(reported.warehouse))
    assert [page.name for page in pages] == ["Overview", "RFM", "Segments", "Cohorts"]
    fields = [field for page in pages for field in all_fields(page.blocks)]
    assert len(fields) > 20
    assert not [field for field in fields if field.tells_money]


def all_fields(blocks):
    for block in blocks:
        if isinstance(block, Choice):
            for some in block.options.values():
                yield from all_fields(some)
        elif isinstance(block, Figures):
            yield from (Field(one.title, one.title, one.kind) for one in block.figures)
        elif not isinstance(block, Words):
            yield from block.data.fields


def pages_of(shop, sessions, place) -> list[Page]:
    run = Run(sessions, load_settings(shop.config), Warehouse(sessions, place), place)
    return report_pages(run, DAY, [BEFORE, DAY])
