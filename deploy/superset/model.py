"""What an export of Superset is made of (version 1.0.0 of its form), and the identities that let an import renew what an earlier one
made: they are derived from names, so a renamed thing is another thing."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Any

VERSION = "1.0.0"
_NAMESPACE = uuid.UUID("6b1f0a5e-5f0e-5d2c-9a55-3a7f6e1d2c90")

Json = dict[str, Any]


def identity(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    type: str | None
    title: str
    is_time: bool = False

    def export(self) -> Json:
        # A time without type is compared with text, which ClickHouse reads in the column's own zone, UTC. With its type Superset would
        # write toDateTime('...'), which is of the server's zone.
        form = "%Y-%m-%d %H:%M:%S" if self.is_time and self.type is None else None
        return {"column_name": self.name, "verbose_name": self.title, "type": self.type, "is_dttm": self.is_time, "is_active": True,
                "groupby": True, "filterable": True, "expression": None, "description": None, "python_date_format": form, "extra": {}}


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    title: str
    expression: str
    format: str
    description: str

    def export(self) -> Json:
        return {"metric_name": self.name, "verbose_name": self.title, "expression": self.expression, "d3format": self.format,
                "description": self.description, "metric_type": None, "warning_text": None, "extra": {}}


@dataclasses.dataclass(frozen=True)
class Dataset:
    name: str
    description: str
    time: str
    """The column that the dashboard's range of time goes by."""
    sql: str
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]

    def export(self, database: str) -> Json:
        return {"table_name": self.name, "main_dttm_col": self.time, "description": self.description, "schema": "marquee",
                "sql": self.sql, "filter_select_enabled": True, "always_filter_main_dttm": False, "normalize_columns": False,
                "offset": 0, "cache_timeout": None, "params": None, "template_params": None, "extra": {},
                "columns": [column.export() for column in self.columns], "metrics": [metric.export() for metric in self.metrics],
                "uuid": identity("dataset", self.name), "version": VERSION, "database_uuid": identity("database", database)}


@dataclasses.dataclass(frozen=True)
class Condition:
    column: str
    operator: str
    value: Any

    def for_editor(self) -> Json:
        return {"clause": "WHERE", "expressionType": "SIMPLE", "subject": self.column, "operator": self.operator,
                "comparator": self.value}

    def for_query(self) -> Json:
        return {"col": self.column, "op": self.operator, "val": self.value}


@dataclasses.dataclass(frozen=True)
class Chart:
    """`params` is what the editor shows and the browser asks by; `query` is the same question for the API (reports, alerts, tests)."""

    name: str
    description: str
    kind: str
    dataset: Dataset
    params: Json
    query: Json
    conditions: tuple[Condition, ...] = ()

    def export(self) -> Json:
        # What the dashboard's range of time takes the place of.
        conditions = (Condition(self.dataset.time, "TEMPORAL_RANGE", "No filter"), *self.conditions)
        params = {"viz_type": self.kind, **self.params, "adhoc_filters": [c.for_editor() for c in conditions], "extra_form_data": {}}
        # The importer puts the dataset's number in.
        context = {"datasource": {"id": 0, "type": "table"}, "force": False, "form_data": params, "result_format": "json",
                   "result_type": "full",
                   "queries": [{"filters": [c.for_query() for c in conditions], "extras": {}, "orderby": [], "row_limit": 10_000,
                                **self.query}]}
        return {"slice_name": self.name, "description": self.description, "viz_type": self.kind, "params": params,
                "query_context": json.dumps(context, sort_keys=True), "cache_timeout": None, "certified_by": None,
                "certification_details": None, "uuid": identity("chart", self.name), "version": VERSION,
                "dataset_uuid": identity("dataset", self.dataset.name)}
