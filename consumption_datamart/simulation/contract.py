"""The columns of the lake's tables and their types, as Arrow schemas."""

from consumption_datamart.schema.lake import CONTRACTS

SCHEMAS = {model.table_name(): model.ibis_schema().to_pyarrow() for model in CONTRACTS}
OPTIONAL = {
    model.table_name(): [name for name in model.ibis_schema() if name not in model.required()]
    for model in CONTRACTS
}
