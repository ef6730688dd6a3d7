"""Every system and every rule of asking that the field's survey names: a file, a page, a source, how it was checked."""

import ast
from pathlib import Path

import pytest

from db.errors import NotFound
from oracle.plugins import names
from trainer.systems import SECTIONS, STATUS, any_system, named, system

ROOT = Path(__file__).parents[2]
METHODS = {
    "SimCLR": "simclr", "MoCo": "moco", "MoCo v1": "moco_v1", "MoCo v2": "moco_v2", "SimSiam": "simsiam",
    "BYOL": "byol", "Barlow Twins": "barlow_twins", "VICReg": "vicreg", "SwAV": "swav", "DINO": "dino", "CPC": "cpc",
    "SEED": "seed", "NNCLR": "nnclr", "MSF": "msf", "All4One": "all4one", "SupCon": "supcon", "SimCSE": "simcse",
    "OCC": "occ", "Ghose et al.": "ghose", "MoCHi": "mochi", "UnReMix": "unremix", "HCL": "hcl", "AdCo": "adco",
    "FNC elimination": "fnc_elimination", "FNC attraction": "fnc_attraction", "IFND": "ifnd", "Debiased": "debiased",
    "SSCL": "sscl", "SynCo": "synco", "PUCL": "pucl", "nnPU": "nnpu", "Ayush et al.": "ayush",
    "Pantazis et al.": "pantazis", "Panambur et al.": "panambur", "any attribute": "attribute", "CLIP": "clip",
    "ALIGN": "align", "CLOOB": "cloob", "CLAP": "clap", "AudioCLIP": "audioclip", "Wav2CLIP": "wav2clip",
    "AVID": "avid", "AVID+CMA": "avid_cma", "XDC": "xdc", "VisualBERT": "visualbert", "LXMERT": "lxmert",
    "FLAVA": "flava", "BEiT-3": "beit3", "MAPL": "mapl", "Flamingo": "flamingo", "CLSP": "clsp", "Wu et al.": "wu",
    "feature interpolation": "interpolate", "AudioToken": "audiotoken", "CiT": "cit", "CUPID": "cupid",
    "JEST": "jest", "ACID": "acid", "ACED": "aced", "Pairwright": "pairwright",
}  # fmt: skip
RULES = {
    "random": "random", "uncertainty": "uncertainty", "margin": "boundary", "NPU": "npu",
    "Explore-Consolidate": "explore_consolidate", "MinMax": "minmax", "COBRAS": "cobras",
    "disagreement": "disagreement", "k-center": "k_center", "TypiClust": "typiclust",
    "false-negative mining": "false_negatives", "false-positive mining": "false_positives",
    "conflict-first": "conflicts", "LCA": "lca", "OCC": "occ", "gold and retest": "gold", "ours": "pairwright",
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_a_named_system_has_a_file_a_page_a_source_and_a_check(name: str) -> None:
    one = any_system(METHODS[name])
    assert all(len(one.said[section]) > 3 for section in (*SECTIONS, STATUS))
    page = (ROOT / "docs" / "methods" / f"{one.name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {one.title}") and one.said["Checked by"] in page


def test_no_method_is_missing_from_the_list() -> None:
    assert {one.name for one in named()} == set(METHODS.values())


def test_what_makes_pictures_and_teaches_no_embedding_is_run_by_another_command() -> None:
    assert any_system("audiotoken").command == "pairwright synthetic make audiotoken"
    assert any_system("clsp").command == "pairwright train clsp"
    with pytest.raises(NotFound, match="audiotoken"):
        system("audiotoken")


@pytest.mark.parametrize("name", RULES)
def test_a_named_rule_of_asking_has_a_file_and_a_source(name: str) -> None:
    assert RULES[name] in names("oracle.acquisition")
    path = ROOT / "oracle" / "acquisition" / f"{RULES[name]}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert "Source: " in text
