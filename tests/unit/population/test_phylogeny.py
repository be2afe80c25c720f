"""Phylogenies in standard formats, by hand and against phylotrackpy."""

# SPDX-License-Identifier: Apache-2.0

import csv
import math
import re

import pytest
from phylotrackpy import systematics

from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.measures.lineage import Life, Lineage, trace_lineage
from mgptn.population.measures.phylogeny import alife_csv, newick
from mgptn.population.records.agents import Genome
from mgptn.population.records.outcomes import Outcome, Outcomes
from mgptn.population.records.weights import Weights
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament

# 0 bore 2 in generation 0 and 3 in generation 2; 2 bore 4, who never answered, and 4 bore 5.
BY_HAND = Lineage(
    {
        life.id: life
        for life in (
            Life(0, None, -1, None, "aa"),
            Life(1, None, -1, 0, "bb"),
            Life(2, 0, 0, 1, "cc"),
            Life(4, 2, 1, 1, None),
            Life(5, 4, 1, None, "ee"),
            Life(3, 0, 2, None, "dd"),
        )
    },
    (0, 5, 3),
    3,
)


def evolve(process, size, generations, seed):
    chosen = TournamentSettings(
        1, 1, 1.0, 0, selector="none", process=process, mutation=MutationRates(jitter=0.5)
    )
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * size, seed)
    return trace_lineage(
        tournament.tell(
            Outcomes.gather(
                tournament.ask(),
                [Outcome(m, "", "", True, 0, 0.0, (), False) for m in tournament.ask()],
            )
        )
        for _ in range(generations)
    )


def parse_newick(text):
    """Parent and branch length of every node, by label."""
    found, open_nodes, last = {}, [[]], []
    for token in re.findall(r"[(),;]|[^(),;\s]+", text):
        if token == "(":
            open_nodes.append([])
        elif token in "),;":
            last = open_nodes.pop() if token == ")" else []
        else:
            label, _, length = token.partition(":")
            for child in last:
                found[child] = (int(label), found[child][1])
            found[int(label)] = (None, int(length or 0))
            open_nodes[-1].append(int(label))
            last = []
    return found


def test_the_standard_table_by_hand():
    assert alife_csv(BY_HAND).splitlines() == [
        "id,ancestor_list,origin_time,destruction_time,taxon_label",
        "0,[none],0,inf,aa",
        "1,[none],0,1,bb",
        "2,[0],1,2,cc",
        "4,[2],2,2,",
        "5,[4],2,inf,ee",
        "3,[0],3,inf,dd",
    ]
    pruned = [line.split(",")[0] for line in alife_csv(BY_HAND, extinct=False).splitlines()[1:]]
    assert pruned == ["0", "2", "4", "5", "3"]


def test_the_table_says_what_was_done_to_weights():
    learned = Weights("learned", "gpt-1", content="a5" * 16)
    lives = {
        0: Life(0, None, -1, None, "aa"),
        1: Life(1, 0, 0, None, "bb", learned.told()),
    }
    assert alife_csv(Lineage(lives, (0, 1), 1)).splitlines() == [
        "id,ancestor_list,origin_time,destruction_time,taxon_label,weights",
        "0,[none],0,inf,aa,",
        f"1,[0],1,inf,bb,learned {learned.digest()[:8]}",
    ]


def test_newick_by_hand():
    assert newick(BY_HAND) == "(((5:0)4:1)2:1,3:3)0;\n1;\n"
    assert newick(BY_HAND, extinct=False) == "(((5:0)4:1)2:1,3:3)0;\n"


def test_founders_without_children_are_trees_of_their_own():
    lonely = Lineage(
        {0: Life(0, None, -1, None, "aa"), 1: Life(1, None, -1, None, "aa")}, (0, 1), 1
    )
    assert newick(lonely) == "0;\n1;\n"


@pytest.mark.parametrize("process", ["wright-fisher", "moran"])
@pytest.mark.parametrize("extinct", [True, False])
def test_both_formats_hold_the_whole_lineage(process, extinct):
    lineage = evolve(process, 6, 12, seed=3)
    rows = {int(row["id"]): row for row in csv.DictReader(alife_csv(lineage, extinct).splitlines())}
    nodes = parse_newick(newick(lineage, extinct))
    assert rows.keys() == nodes.keys()
    assert set(lineage.living) <= rows.keys()
    assert not extinct or rows.keys() == lineage.lives.keys()
    for agent, row in rows.items():
        life = lineage.lives[agent]
        assert row["ancestor_list"] == f"[{'none' if life.parent is None else life.parent}]"
        assert int(row["origin_time"]) == life.born + 1
        assert float(row["destruction_time"]) == (math.inf if life.died is None else life.died + 1)
        assert row["taxon_label"] == (life.genome or "")
        born = -1 if life.parent is None else lineage.lives[life.parent].born
        assert nodes[agent] == (life.parent, 0 if life.parent is None else life.born - born)


def test_a_line_of_descent_may_be_deeper_than_recursion():
    lives = {0: Life(0, None, -1, 0, "aa")}
    for i in range(1, 50_000):
        lives[i] = Life(i, i - 1, i - 1, i, "aa")
    lives[49_999] = Life(49_999, 49_998, 49_998, None, "aa")
    lineage = Lineage(lives, (49_999,), 49_999)
    assert newick(lineage).count("(") == 49_999


def tracked_births(lineage):
    """phylotrackpy's own record of the same births and deaths."""
    tracked = systematics.Systematics(lambda agent: str(agent))
    taxa = {}
    for time in range(lineage.generations + 1):
        tracked.set_update(time)
        for life in lineage.lives.values():
            if life.born + 1 == time:
                parents = () if life.parent is None else (taxa[life.parent],)
                taxa[life.id] = tracked.add_org(life.id, *parents)
        for life in lineage.lives.values():
            if life.died is not None and life.died + 1 == time:
                tracked.remove_org(taxa[life.id])
    return tracked


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_phylotrackpy_reads_in_the_table_the_births_that_it_tracks(seed, tmp_path):
    """Of a Wright–Fisher lineage in which one founder has taken over."""
    lineage = evolve("wright-fisher", 5, 40, seed)
    assert newick(lineage, extinct=False).count("\n") == 1
    path = tmp_path / "phylogeny.csv"
    path.write_text(alife_csv(lineage, extinct=False))
    read, tracked = systematics.Systematics(lambda agent: agent), tracked_births(lineage)
    read.load_from_file(str(path), "taxon_label")
    assert read.get_num_active() == tracked.get_num_active() == len(lineage.living)
    assert read.get_phylogenetic_diversity() == tracked.get_phylogenetic_diversity()
    distances = [one.get_mean_pairwise_distance(False) for one in (read, tracked)]
    assert distances[0] == pytest.approx(distances[1])
    last = lineage.lives[int(tracked.get_mrca().get_info())]
    assert read.get_mrca().get_info() == last.genome
