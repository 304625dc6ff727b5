"""The budget at Google Cloud and who hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import billing, monitoring, organizations, pubsub

from components.base import Component
from components.labels import labels
from dreamseed.config.operations import Budget
from dreamseed.config.service import Service

NANOS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class CostGuardArgs:
    """What `CostGuard` needs.

    `budget.cloud_share_usd_per_month` is what Google Cloud may bill in a month; `enabled` what must exist first (the
    project's enabled APIs).
    """

    service: Service
    budget: Budget
    enabled: Sequence[pulumi.Resource] = ()


class CostGuard(Component):
    """A monthly budget of this one project that announces shares of itself by e-mail and on a topic.

    Announces each share when it is spent, and the whole when it is forecast. It sees Google Cloud's bill
    only: Cloudflare, Backblaze, Grafana Cloud and electricity are outside it. Nothing here stops
    spending, and costs arrive up to a day late. Amounts in USD, which must be the billing account's
    currency. The account that publishes gets its right on the topic from Google when the two are joined.
    Source: docs/surprises.md, section 1, 2026-11-22.
    """

    token = "dreamseed:cost:CostGuard"  # noqa: S105 - a resource's type token, not a secret

    topic: pulumi.Output[str]
    """Where each announcement arrives as JSON (costAmount, budgetAmount)."""
    channel: pulumi.Output[str]
    """The notification channel that others may announce on."""

    def __init__(self, name: str, args: CostGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service, budget, enabled = args.service, args.budget, list(args.enabled)
        topic = pubsub.Topic(
            f"{service.name}-budget",
            name=f"{service.name}-budget",
            project=service.gcp_project,
            labels=labels(service.name),
            opts=self.child(depends_on=enabled),
        )
        channel = monitoring.NotificationChannel(
            f"{service.name}-operations",
            display_name=f"{service.name} operations",
            project=service.gcp_project,
            type="email",
            labels={"email_address": service.operations_email},
            user_labels=labels(service.name),
            opts=self.child(depends_on=enabled),
        )
        project = organizations.get_project_output(project_id=service.gcp_project)
        billing.Budget(
            f"{service.name}-budget",
            display_name=f"{service.name} Google Cloud",
            billing_account=service.billing_account,
            amount=billing.BudgetAmountArgs(specified_amount=_usd(budget.cloud_share_usd_per_month)),
            budget_filter=billing.BudgetBudgetFilterArgs(
                projects=[project.number.apply(lambda number: f"projects/{number}")], calendar_period="MONTH"
            ),
            threshold_rules=[
                *(_threshold(percent, "CURRENT_SPEND") for percent in budget.alert_percent),
                _threshold(100, "FORECASTED_SPEND"),
            ],
            all_updates_rule=billing.BudgetAllUpdatesRuleArgs(
                pubsub_topic=topic.id,
                schema_version="1.0",
                monitoring_notification_channels=[channel.name],
                disable_default_iam_recipients=True,
            ),
            opts=self.child(depends_on=enabled),
        )
        self.publish(topic=topic.name, channel=channel.name)


def _usd(amount: float) -> billing.BudgetAmountSpecifiedAmountArgs:
    """Return `amount` as whole dollars and billionths of a dollar."""
    nanos = round(amount * NANOS)
    return billing.BudgetAmountSpecifiedAmountArgs(currency_code="USD", units=str(nanos // NANOS), nanos=nanos % NANOS)


def _threshold(percent: int, basis: str) -> billing.BudgetThresholdRuleArgs:
    return billing.BudgetThresholdRuleArgs(threshold_percent=percent / 100, spend_basis=basis)
