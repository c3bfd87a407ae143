"""The asset graph, one line each, as a snapshot short enough to review."""

from pathlib import Path

import dagster as dg

from consumption_datamart.definitions import build_definitions

SNAPSHOT = Path(__file__).parent / "asset_graph.txt"


def asset_graph() -> str:
    """Each asset with its group, partitions, automation and checks, and what it is made of."""
    graph = build_definitions().resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.path[-1]):
        node = graph.get(key)
        checks = sorted(check.name for check in graph.get_check_keys_for_assets({key}) or ())
        parts = [
            node.group_name,
            "daily" if node.partitions_def else "whole",
            *(
                [node.automation_condition.get_label() or "automation"]
                if node.automation_condition
                else []
            ),
            *(f"check {name}" for name in checks),
        ]
        made_of = sorted(parent.to_user_string() for parent in node.parent_keys)
        lines.append(f"{key.to_user_string()} ({', '.join(parts)}) <- {', '.join(made_of) or '-'}")
    return "\n".join(sorted(lines)) + "\n"


def test_the_asset_graph_is_as_reviewed() -> None:
    assert asset_graph() == SNAPSHOT.read_text(), (
        "the asset graph has changed; if that is meant, write it anew and review the difference:\n"
        "python -m consumption_datamart_tests.test_asset_graph"
    )


def test_the_graph_goes_one_way() -> None:
    steps = {
        "lake": set(),
        "raw": {"lake"},
        "star": {"raw", "star"},
        "reports": {"star", "reports"},
    }
    steps["monitoring"] = {"monitoring", "reports"}
    graph = build_definitions().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        groups = {graph.get(parent).group_name for parent in node.parent_keys}
        assert groups <= steps[node.group_name], key


def test_a_day_is_made_of_the_days_that_its_windows_need() -> None:
    graph = build_definitions().resolve_asset_graph()
    report = graph.get(dg.AssetKey(["mart", "report_consumption_daily"]))
    mapping = report.partition_mappings[dg.AssetKey(["mart", "fact_consumption_daily"])]
    assert mapping.start_offset == -29


if __name__ == "__main__":
    SNAPSHOT.write_text(asset_graph())
