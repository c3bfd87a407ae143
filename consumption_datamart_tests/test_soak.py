"""A soak in short; `make soak` does it for half an hour, with kills and retention."""

from consumption_datamart_tests.mart import SLOW
from consumption_datamart_tests.soak import soak


@SLOW
def test_some_days_pass_through_the_deployment_and_all_is_right_after_each() -> None:
    seen = soak(days=5, minutes=0, seed=3)
    assert seen.findings == []
    assert seen.samples[-1]["day"] == 5
