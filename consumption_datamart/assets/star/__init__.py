"""The star schema, table by table."""

from consumption_datamart.assets.star.accounts import account_tree, dim_account
from consumption_datamart.assets.star.customers import dim_customer
from consumption_datamart.assets.star.days import dim_day, reporting_day
from consumption_datamart.assets.star.deployments import dim_deployment
from consumption_datamart.assets.star.entitlements import dim_entitlement, fact_entitlement_daily
from consumption_datamart.assets.star.facts import fact_consumption_daily, fact_invoice_line
from consumption_datamart.assets.star.products import dim_product
from consumption_datamart.assets.star.usage import (
    deployment_monthly,
    fact_usage_daily,
    usage_by_unit_daily,
)
from consumption_datamart.assets.star.values import entitlement_value
from consumption_datamart.automation import on_missing
from consumption_datamart.factories import TableSpec
from consumption_datamart.schema import dimensions, facts

STAR = (
    TableSpec(dimensions.ReportingDay, reporting_day),
    TableSpec(dimensions.DimDay, dim_day, policy=on_missing),
    TableSpec(facts.UsageByUnitDaily, usage_by_unit_daily),
    TableSpec(dimensions.DeploymentMonthly, deployment_monthly),
    TableSpec(dimensions.AccountTree, account_tree),
    TableSpec(dimensions.DimCustomer, dim_customer),
    TableSpec(dimensions.DimAccount, dim_account),
    TableSpec(dimensions.DimProduct, dim_product),
    TableSpec(dimensions.DimDeployment, dim_deployment),
    TableSpec(dimensions.DimEntitlement, dim_entitlement),
    TableSpec(facts.FactInvoiceLine, fact_invoice_line, after=("dim_day", "dim_product")),
    TableSpec(dimensions.EntitlementValue, entitlement_value),
    TableSpec(
        facts.FactUsageDaily,
        fact_usage_daily,
        after=("dim_day", "dim_customer", "dim_product", "dim_deployment"),
    ),
    TableSpec(
        facts.FactEntitlementDaily,
        fact_entitlement_daily,
        columns={"dim_entitlement": ("customer_id", "product_id", "daily_quantity")},
        after=("dim_day", "dim_customer", "dim_product"),
    ),
    TableSpec(
        facts.FactConsumptionDaily,
        fact_consumption_daily,
        columns={"dim_product": ("product_id", "metering", "unit")},
        after=("dim_day", "dim_customer"),
    ),
)
