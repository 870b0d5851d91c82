"""Every model of the catalogue passes every check of the conformance suite."""

import pytest

from gridai.models import catalog

from . import conformance
from .conformance import CHECKS, Sample


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__.removeprefix("check_"))
@pytest.mark.parametrize("key", catalog.model_files())
def test_conformance(key: str, check) -> None:
    for sample in conformance.samples(key):
        check(sample)


def test_model_names_match_their_files() -> None:
    for key in catalog.model_files():
        assert catalog.model(key).name.lower() == key


def test_suite_refuses_a_sample_without_values() -> None:
    with pytest.raises(AssertionError, match="h_s"):
        Sample(catalog.model("genrou")).filled()
