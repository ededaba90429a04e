"""The flowchart, by the grammar of Mermaid: every line is one of a few kinds, every name is declared, all is closed."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from networks import networks, plan_of, shipped

from kbuild.plan.draw.mermaid import MOST_EDGES, flowchart
from kbuild.plan.graph import tensors
from kbuild.plan.plan import Plan

LABEL = r'"(?:[^"#<>&`\\;|{}\n]|#\d+;|</?b>|<br/>)*"'
NODE = re.compile(rf" +(n\d+)(\(\[{LABEL}\]\)|\[\[{LABEL}\]\]|\[{LABEL}\])")
EDGE = re.compile(rf" +(n\d+) -->(?:\|{LABEL}\|)? (n\d+)")
OTHER = re.compile(rf" +(subgraph g\d+ \[{LABEL}\]|direction TB|end|classDef \w+ [\w:#,]+|class n\d+(,n\d+)* \w+)")


def parsed(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    """Nodes and edges, each line checked."""
    first, *lines = text.split("\n")
    assert first == "flowchart TB"
    nodes: list[str] = []
    edges: list[tuple[str, str]] = []
    depth = 0
    for line in lines:
        if node := NODE.fullmatch(line):
            nodes.append(node[1])
        elif edge := EDGE.fullmatch(line):
            edges.append((edge[1], edge[2]))
        else:
            assert OTHER.fullmatch(line), line
            depth += line.strip().startswith("subgraph") - (line.strip() == "end")
            assert depth >= 0
    assert depth == 0
    assert len(nodes) == len(set(nodes))
    assert {end for edge in edges for end in edge} <= set(nodes)
    return set(nodes), set(edges)


@settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_a_node_for_each_step_and_an_edge_for_each_tensor(plan):
    nodes, edges = parsed(flowchart(plan))
    assert len(nodes) == len(plan.inputs) + len(plan.steps) + len(plan.outputs)
    wanted = {(ref.step, step.name) for step in plan.steps for ref in tensors(step)}
    assert len(edges) == len(wanted) + len(plan.outputs)
    for depth in range(4):
        parsed(flowchart(plan, depth))


def test_shapes_stand_where_they_change(residual):
    text = flowchart(residual)
    assert '  n0 -->|"8"| n1' in text
    assert '  subgraph g0 ["stage-0 · cell"]' in text
    assert text.count('["<b>Dense(4)</b><br/>') == 7
    assert '[["<b>stage ×3</b><br/>repeat, 15 layers"]]' in flowchart(residual, 0)


def test_odd_characters_are_numbers():
    plan = plan_of("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [{Dense: 2}]}\n")
    step = plan.steps[0]
    from dataclasses import replace

    odd = replace(step, call=replace(step.call, args={"units": 2, "activation": 'a"b<c>#;`|{}\\'}))
    text = flowchart(Plan("p", plan.inputs, (odd,), plan.outputs))
    parsed(text)
    assert "a#34;b#60;c#62;#35;#59;#96;#124;#123;#125;#92;" in text


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "two_inputs_two_outputs", "lstm_encoder_decoder"])
def test_shipped_networks(name):
    _, edges = parsed(flowchart(shipped(name)))
    assert len(edges) <= MOST_EDGES


def test_what_mermaid_would_refuse_is_folded(plan):
    found = plan(
        "kbuild: 1\nmodel:\n  inputs: {x: {shape: [4]}}\n  layers: [{chain: [{Dense: 4}, ReLU], repeat: 300, name: many}]\n"
    )
    nodes, _ = parsed(flowchart(found))
    assert len(nodes) == 4
    assert "many ×300" in flowchart(found)
