import networkx
import pytest

from easel.fields.art.graphml import GraphNode, directed, from_graphml, to_graphml
from easel.fields.art.topology import watts_strogatz, with_operations


def graph(count=10, seed=0):
    return with_operations(watts_strogatz(count, seed), ["Tanh", "sin"], seed)


@pytest.mark.parametrize("count", [5, 10, 64])
def test_text_and_back(count):
    for seed in range(3):
        assert from_graphml(to_graphml(graph(count, seed))) == graph(count, seed)


def test_networkx_reads_it():
    nodes = graph()
    read = networkx.parse_graphml(to_graphml(nodes))
    assert read.number_of_nodes() == 10
    assert {(int(a), int(b)) for a, b in read.edges} == {(s, n) for n, node in enumerate(nodes) for s in node.inputs}
    assert read.nodes["3"].get("operation") == nodes[3].operation


def test_it_reads_networkx():
    lattice = networkx.connected_watts_strogatz_graph(12, 4, 0.75, seed=1)
    nodes = from_graphml("\n".join(networkx.generate_graphml(lattice)))
    assert nodes == directed(12, list(lattice.edges))
    assert {operation.operation for operation in nodes} == {None}


def test_edges_go_up_and_no_node_hangs_in_the_air():
    assert directed(4, [(2, 1), (3, 2)]) == [GraphNode(), GraphNode((0,)), GraphNode((1,)), GraphNode((2,))]
    for seed in range(20):
        nodes = watts_strogatz(16, seed)
        assert nodes[0].inputs == () and all(node.inputs and max(node.inputs) < n for n, node in enumerate(nodes) if n)


def test_the_seed_alone_decides():
    assert graph(20, 3) == graph(20, 3) != graph(20, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<!DOCTYPE g [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><graphml>&b;</graphml>', "without declarations"),
        ('<!DOCTYPE g SYSTEM "file:///etc/passwd"><graphml/>', "without declarations"),
        ("x" * 4_000_001, "4,000,000 characters"),
        ("<graphml>", "not GraphML"),
        ("", "not GraphML"),
        ("<graphml/>", "got 0"),
        ("<graphml><node id='0'/><node id='2'/></graphml>", "ids 0, 1"),
        ("<graphml><node id='0'/><node id='eval()'/></graphml>", r"numbered.*eval"),
        ("<graphml><node id='0'/><node id='1'/><edge source='0' target='7'/></graphml>", "from 0 to 7"),
        ("<graphml><node id='0'/><node id='1'/><edge source='1' target='1'/></graphml>", "no loops"),
        (
            "<graphml><key id='k' attr.name='operation'/><node id='0'/>"
            "<node id='1'><data key='k'>rm</data></node></graphml>",
            "unknown operation 'rm'",
        ),
    ],
)
def test_hostile_and_broken_text_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        from_graphml(text)
