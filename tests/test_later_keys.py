"""Keys that a later release adds: nothing is read again, and no boundary is fitted again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ROOT
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rfm_spark.app.loading import load_settings
from rfm_spark.app.settings import SETTINGS_MODEL
from rfm_spark.ingest.finding import reading_digest
from rfm_spark.ingest.sources import configured_sources
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.settings.digest import settings_digest
from rfm_spark.settings.section import Section


def sections(kind: type[BaseModel] = Section) -> Iterator[type[BaseModel]]:
    """Every section that there is, the innermost first."""
    for inner in kind.__subclasses__():
        yield from sections(inner)
        yield inner


@pytest.fixture
def later_keys() -> Iterator[None]:
    """Every section has a key more, with a default, as a later release could have."""
    changed = list(dict.fromkeys(sections()))
    assert len(changed) > 15
    key: Any = FieldInfo(annotation=int, default=7)
    for section in changed:
        section.model_fields["added_later"] = key
    for _ in range(3):  # a section is part of others, which have to see it whole
        for section in changed:
            section.model_rebuild(force=True)
    yield
    for section in changed:
        del section.model_fields["added_later"]
    for _ in range(3):
        for section in changed:
            section.model_rebuild(force=True)


def digests(config) -> tuple[list[str], list[str], str]:
    settings = load_settings(config)
    sources = configured_sources(settings).values()
    read = [reading_digest(source, settings.business) for source in sources]
    fitted = [boundary_digest(profile) for profile in settings.rfm.values()]
    return read, fitted, settings_digest(settings)


@pytest.fixture
def before(conf_file):
    return digests(conf_file)


@pytest.fixture(params=["complete_journey", "online_retail_ii", "cdnow"])
def conf_file(request):
    return ROOT / "conf" / f"{request.param}.toml"


def test_a_key_that_nobody_sets_changes_no_digest(before, conf_file, later_keys):
    read, fitted, whole = digests(conf_file)
    settings = load_settings(conf_file)
    assert settings.business.added_later == settings.receipts.columns.added_later == 7
    assert (read, fitted) == before[:2]
    assert whole != before[2], "the configuration as it is stored names the key"


@pytest.mark.parametrize("key", ["receipts.added_later", "receipts.columns.added_later"])
def test_where_it_is_set_it_counts(before, conf_file, later_keys, key):
    settings = load_settings(conf_file, (f"{key}=8",))
    read = reading_digest(settings.receipts, settings.business)
    assert read != before[0][0]


def test_every_section_of_the_configuration_is_one_of_them():
    assert SETTINGS_MODEL in set(sections())
