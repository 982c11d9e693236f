"""Business days: instants, local times, plain dates and text, in the shop's calendar."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import DateType

from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day, is_time_type, year_month

NEW_YORK = Calendar("America/New_York", 0, "America/New_York")
FROM_UTC = Calendar("America/New_York", 0, "UTC")
LATE_SHOP = Calendar("America/New_York", 4, "America/New_York")
UTC = ZoneInfo("UTC")


def read(spark, values, kind, calendar=NEW_YORK, pattern=None):
    """The instant in UTC and the business day of each value, as text."""
    literals = [F.lit(value).cast("string").try_cast(kind) for value in values]
    rows = spark.range(1).select(F.explode(F.array(*literals)).alias("time"))
    instant, day = instant_and_day(F.col("time"), rows.schema["time"].dataType, pattern, calendar)
    shown = rows.select(F.date_format(instant, "yyyy-MM-dd HH:mm:ss"), day.cast("string"))
    return [tuple(row) for row in shown.collect()]


def test_an_instant_falls_on_the_day_of_the_shop(spark):
    # 04:59 UTC is still the evening before in New York in winter, and 00:59 of the day in summer.
    found = read(
        spark, ["2026-01-15 04:59:59", "2026-01-15 05:00:00", "2026-07-15 04:00:00"], "timestamp"
    )
    assert found == [
        ("2026-01-15 04:59:59", "2026-01-14"),
        ("2026-01-15 05:00:00", "2026-01-15"),
        ("2026-07-15 04:00:00", "2026-07-15"),
    ]


def test_a_local_time_is_of_the_source_zone(spark):
    times = ["2026-01-15 00:30:00", "2026-07-15 23:30:00"]
    assert read(spark, times, "timestamp_ntz") == [
        ("2026-01-15 05:30:00", "2026-01-15"),
        ("2026-07-16 03:30:00", "2026-07-15"),
    ]
    assert read(spark, times, "timestamp_ntz", FROM_UTC) == [
        ("2026-01-15 00:30:00", "2026-01-14"),
        ("2026-07-15 23:30:00", "2026-07-15"),
    ]


def test_a_shop_open_past_midnight_keeps_its_day(spark):
    times = ["2026-01-16 03:59:59", "2026-01-16 04:00:00"]
    assert [day for _, day in read(spark, times, "timestamp_ntz", LATE_SHOP)] == [
        "2026-01-15",
        "2026-01-16",
    ]
    assert [day for _, day in read(spark, times, "string", LATE_SHOP)] == [
        "2026-01-15",
        "2026-01-16",
    ]


def test_the_day_starts_by_the_clock_also_when_the_clock_changes(spark):
    # 2026-03-08 has 23 hours in New York: 04:00 there is 08:00 UTC.
    times = ["2026-03-08 07:59:59", "2026-03-08 08:00:00"]
    assert [day for _, day in read(spark, times, "timestamp", LATE_SHOP)] == [
        "2026-03-07",
        "2026-03-08",
    ]


@pytest.mark.parametrize("kind", ["date", "string"])
@pytest.mark.parametrize("calendar", [NEW_YORK, LATE_SHOP, FROM_UTC])
def test_a_plain_date_is_that_business_day_whatever_the_start_of_the_day(spark, kind, calendar):
    found = read(spark, ["2026-01-15", "2024-02-29"], kind, calendar)
    assert [day for _, day in found] == ["2026-01-15", "2024-02-29"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15T02:30:00Z",
        "2026-01-15 02:30:00 UTC",
        "2026-01-14T21:30:00-05:00",
        "2026-01-14 21:30:00-0500",
        "2026-01-15 08:00:00+05:30",
        "2026-01-15 02:30:00+00",
        "2026-01-15 02:30:00 GMT",
        "2026-01-15 03:30:00 Europe/Paris",
        "2026-01-15T03:30:00.000+1:00",
        "  2026-01-15T02:30:00Z  ",
    ],
)
def test_text_that_names_its_zone_is_an_instant_whatever_the_source_zone(spark, text):
    (found,) = read(spark, [text], "string", Calendar("America/New_York", 0, "Asia/Tokyo"))
    # Text in a form that is not known may be turned away, but is never read as another instant.
    assert found in [("2026-01-15 02:30:00", "2026-01-14"), (None, None)]
    if text.strip().endswith(("Z", "UTC", "00", "+05:30")):
        assert found != (None, None)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15 10:30", "2026-01-15 15:30:00"),
        ("2026-01-15T10:30:05.123", "2026-01-15 15:30:05"),
        (" 2026-1-5 10:30:00", "2026-01-05 15:30:00"),
        ("2026-07-15 10:30:00", "2026-07-15 14:30:00"),
    ],
)
def test_text_without_a_zone_is_of_the_source_zone(spark, text, instant):
    assert read(spark, [text], "string") == [(instant, instant[:10])]


@pytest.mark.parametrize(
    "text",
    ["12:30", "T12:30:00", "2026", "2026-01", "2026-02-30", "15/01/2026", "yesterday", "", "now"],
)
def test_text_without_a_full_date_is_no_time(spark, text):
    assert read(spark, [text], "string") == [(None, None)]


def test_a_pattern_reads_textual_times(spark):
    assert read(spark, ["15/01/2026 23:30", "2026-01-15", "31/02/2026 10:00"], "string",
                LATE_SHOP, "dd/MM/yyyy HH:mm") == [
        ("2026-01-16 04:30:00", "2026-01-15"), (None, None), (None, None),
    ]  # fmt: skip
    assert read(spark, ["16/01/2026 03:30"], "string", LATE_SHOP, "dd/MM/yyyy HH:mm") == [
        ("2026-01-16 08:30:00", "2026-01-15")
    ]


def test_a_pattern_of_dates_gives_that_day(spark):
    found = read(spark, ["15.01.2026"], "string", LATE_SHOP, "dd.MM.yyyy")
    assert [day for _, day in found] == ["2026-01-15"]


def test_a_pattern_with_an_offset_gives_instants(spark):
    calendar = Calendar("America/New_York", 0, "Asia/Tokyo")
    found = read(spark, ["15/01/2026 03:30 +0100"], "string", calendar, "dd/MM/yyyy HH:mm xx")
    assert found == [("2026-01-15 02:30:00", "2026-01-14")]


def test_instants_and_days_are_those_of_the_zone_database(spark):
    times = [
        f"2026-{month:02}-{day:02} {hour:02}:15:00"
        for month in (3, 11)
        for day in (1, 8, 29)
        for hour in (1, 4, 23)
    ]
    calendar = Calendar("Europe/Berlin", 3, "UTC")
    expected = []
    for text in times:
        local = (
            datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
        )
        day = local.date() if local.hour >= 3 else date.fromordinal(local.toordinal() - 1)
        expected.append((text, day.isoformat()))
    assert read(spark, times, "timestamp", calendar) == expected


@pytest.mark.parametrize("zone", ["UTC", "Africa/Abidjan"])  # both without a shift
def test_the_last_microsecond_of_a_day_belongs_to_it(spark, zone):
    last = [f"{day} 23:59:59.999999" for day in ("1969-12-31", "2026-06-30", "2199-12-31")]
    found = read(spark, [*last, "1970-01-01 00:00:00"], "timestamp", Calendar(zone, 0, zone))
    assert [day for _, day in found] == ["1969-12-31", "2026-06-30", "2199-12-31", "1970-01-01"]


def test_a_month_is_named_by_year_and_number(spark):
    days = [f"{year}-{month:02}-28" for year in (1970, 2099) for month in range(1, 13)]
    dates = F.array(*[F.lit(day).cast("date") for day in [*days, None]])
    found = spark.range(1).select(F.explode(dates).alias("day")).select(year_month(F.col("day")))
    assert [name for (name,) in found.collect()] == [*(day[:7] for day in days), None]


def test_only_dates_times_and_text_can_be_times(spark):
    schema = spark.range(1).selectExpr("id", "1.5 AS x", "true AS flag", "'a' AS text").schema
    assert [is_time_type(field.dataType) for field in schema] == [False, False, False, True]
    assert is_time_type(DateType())


def test_a_zone_by_its_letters_is_unreadable_as_several_share_it(spark):
    # BST: Britain's summer, and to Java Dhaka's time.
    times = ["2026-07-01 00:30:00 BST", "2026-07-01 00:30:00CST", "2026-07-01 00:30:00 CET"]
    assert read(spark, times, "string") == [(None, None)] * 3
    plain = ["2026-07-01 04:00:00 UTC", "2026-07-01 04:00:00 GMT", "2026-07-01T04:00:00Z"]
    assert read(spark, plain, "string") == [("2026-07-01 04:00:00", "2026-07-01")] * 3
    assert read(spark, ["2026-07-01 00:00:00 America/New_York"], "string") == [
        ("2026-07-01 04:00:00", "2026-07-01")
    ]
    with_zone = "dd MMM yyyy HH:mm z"
    assert read(spark, ["01 Jul 2026 00:30 BST"], "string", NEW_YORK, with_zone) == [(None, None)]
    assert read(spark, ["01 Jul 2026 04:00 UTC"], "string", NEW_YORK, with_zone) == [
        ("2026-07-01 04:00:00", "2026-07-01")
    ]


def test_letters_of_a_quoted_word_are_no_part_of_the_pattern(spark):
    pattern = "'Ordered at X' dd/MM/yyyy HH:mm"
    assert read(spark, ["Ordered at X 06/01/2026 02:00"], "string", NEW_YORK, pattern) == [
        ("2026-01-06 07:00:00", "2026-01-06")
    ]
    only_day = "'Hour' dd/MM/yyyy"
    assert read(spark, ["Hour 06/01/2026"], "string", LATE_SHOP, only_day) == [
        ("2026-01-06 05:00:00", "2026-01-06")
    ]
