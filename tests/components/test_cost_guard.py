from __future__ import annotations

from tests.components.builders import declare_guard
from tests.components.declaring import changed, stage


def test_each_share_is_announced_when_spent_and_the_whole_when_forecast() -> None:
    rules = declare_guard(stage("c")).one("Budget").inputs["thresholdRules"]
    assert [(rule["thresholdPercent"], rule["spendBasis"]) for rule in rules] == [
        (0.5, "CURRENT_SPEND"),
        (0.8, "CURRENT_SPEND"),
        (0.9, "CURRENT_SPEND"),
        (1.0, "CURRENT_SPEND"),
        (1.0, "FORECASTED_SPEND"),
    ]


def test_the_budget_is_what_google_cloud_may_bill_this_project() -> None:
    config = stage("d")
    budget = declare_guard(config).one("Budget").inputs
    amount = budget["amount"]["specifiedAmount"]
    assert float(amount["units"]) + amount["nanos"] / 1e9 == config.budget.cloud_share_usd_per_month
    assert amount["currencyCode"] == "USD"
    # The filter asks for the project's number, not its id.
    assert budget["budgetFilter"] == {"projects": ["projects/123456789012"], "calendarPeriod": "MONTH"}


def test_cents_are_kept_as_billionths_of_a_dollar() -> None:
    config = changed(stage("a"), "budget", cloud_share_usd_per_month=24.35)
    amount = declare_guard(config).one("Budget").inputs["amount"]["specifiedAmount"]
    assert (amount["units"], amount["nanos"]) == ("24", 350_000_000)


def test_operations_hear_of_it_by_mail_and_programs_on_a_topic() -> None:
    declared = declare_guard(stage("a"))
    assert declared.one("NotificationChannel").inputs["labels"] == {"email_address": "ops@dreamseed.example"}
    rule = declared.one("Budget").inputs["allUpdatesRule"]
    assert rule["pubsubTopic"] == "dreamseed-budget-id"
    assert len(rule["monitoringNotificationChannels"]) == 1
