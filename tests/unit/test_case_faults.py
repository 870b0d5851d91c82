"""Broken case folders: all faults of all files in one message, each with file, row, field, value and remedy."""

import pytest

from gridai.case import load_case
from gridai.errors import CaseError

FILES = {
    "case.toml": '[case]\nname = "tiny"\ntitle = "two buses"\nf_hz = 50.0\ns_base_mva = 100.0\n',
    "network/bus.csv": "name,vn_kv\nA,110\nB,110\n",
    "network/line.csv": "name,from_bus,to_bus,r_pu,x_pu\nA-B,A,B,0.01,0.1\n",
    "network/gen.csv": "name,bus,p_mw,vm_pu,sn_mva,slack\nG1,A,0,1.0,100,true\nG2,B,10,1.0,50,false\n",
    "network/load.csv": "name,bus,p_mw,q_mvar\nL,B,30,5\n",
    "dynamics/gencls.csv": "unit,h_s,d_pu,ra_pu,xd1_pu\nG1,4,0,0,0.3\nG2,4,0,0,0.3\n",
}


@pytest.fixture
def folder(tmp_path):
    def write(**changes):
        for name, text in {
            **FILES,
            **{k.replace("__", "/").replace("_csv", ".csv"): v for k, v in changes.items()},
        }.items():
            path = tmp_path / "tiny" / name.replace("case_toml", "case.toml")
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")
        return tmp_path / "tiny"

    return write


def message(place):
    with pytest.raises(CaseError) as caught:
        load_case(place)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_the_small_case_is_sound(folder):
    case = load_case(folder())
    assert case.solve().mismatch_mva < 1e-6
    assert load_case(folder() / "case.toml").name == "tiny"


def test_faults_of_several_files_come_together(folder):
    text = message(
        folder(
            case_toml='[case]\nname = "tiny"\nf_hz = -50\ns_base_mva = "100"\ntitel = "x"\n',
            network__load_csv="name,bus,p_mw,q_mvar\nL,BB,30,x\n",
            network__gen_csv="name,bus,p_mw,vm_pu,sn_mva,slack\nG1,A,0,1.0,100,maybe\nG2,B,10,1.0,,false\n",
            dynamics__gencls_csv="unit,h_s,xd1_pu\nG1,4,O.3\nG3,4,0.3\nG2,4,0.3\nG1,4,0.3\n",
            dynamics__genrow_csv="unit,h_s\nG1,4\n",
        )
    )
    for part in (
        "case.toml: case.f_hz = -50: is not a number above 0: give it in Hz",
        "case.toml: case.s_base_mva = '100': is not a number above 0",
        "case.toml: case.titel = 'x': unknown key 'titel'; did you mean 'title'",
        "network/load.csv, row 2: bus = 'BB': unknown bus 'BB'; did you mean 'B'",
        "network/load.csv, row 2: q_mvar = 'x': is not a plain finite number",
        "network/gen.csv, row 2: slack = 'maybe': write true or false",
        "network/gen.csv, row 3: sn_mva: 'G2' has a machine: give its rating",
        "dynamics/gencls.csv, row 2: xd1_pu = 'O.3': is not a plain finite number",
        "dynamics/gencls.csv, row 3: unit = 'G3': unknown unit 'G3'; known: 'G1', 'G2'",
        "dynamics/gencls.csv, row 5: unit = 'G1': has a row already: row 2",
        "dynamics/genrow.csv: model = 'genrow': unknown model 'genrow'; did you mean 'genrou'",
    ):
        assert part in text, text


def test_two_machines_for_one_unit(folder):
    text = message(folder(dynamics__genrou_csv="unit,h_s\nG2,4\n"))
    assert "dynamics/genrou.csv, row 2: unit = 'G2': has a machine already in dynamics/gencls.csv; keep one" in text


def test_two_models_of_a_kind(folder):
    """Two exciters of a unit, two models of a load: the second would win, or the load would be there twice."""
    sexs, scrx = "unit,ta_tb,tb_s,k,te_s,emin_pu,emax_pu\nG1,0.1,10,100,0.1,0,6\n", "unit,k\nG1,100\n"
    text = message(
        folder(dynamics__scrx_csv=scrx, dynamics__sexs_csv=sexs, dynamics__ldelec_csv="unit\nL\n",
               dynamics__zip_csv="unit,pz\nL,1\n")
    )  # fmt: skip
    assert "dynamics/sexs.csv, row 2: unit = 'G1': has an exciter already in dynamics/scrx.csv; keep one" in text
    assert "dynamics/zip.csv, row 2: unit = 'L': has a load model already in dynamics/ldelec.csv; keep one" in text


def test_a_machine_belongs_to_a_unit_and_a_load_model_to_a_load(folder):
    text = message(folder(dynamics__zip_csv="unit,pz\n*,1\nG1,1\n", dynamics__gencls_csv="unit,h_s\nG1,4\nL,4\n"))
    assert "dynamics/zip.csv, row 3: unit = 'G1': unknown load 'G1'" in text
    assert "dynamics/gencls.csv, row 3: unit = 'L': unknown unit 'L'" in text
    assert "'*'" not in text


def test_no_slack_and_shared_names(folder):
    text = message(
        folder(
            network__gen_csv="name,bus,p_mw,vm_pu,sn_mva\nG1,A,0,1.0,100\nG2,B,10,1.0,50\n",
            network__sgen_csv="name,bus,p_mw\nG2,B,1\n",
        )
    )
    assert "network/gen.csv: column slack: no unit in service is the slack: set slack = true for one" in text
    assert "network/sgen.csv, row 2: name = 'G2': is the name of a gen too" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"case_toml": "[case\n"}, "case.toml: file: cannot be read as TOML"),
        ({"case_toml": "[case]\nf_hz = 50.0\n"}, "case.s_base_mva: is missing: give it in MVA"),
        ({"case_toml": "[case]\nf_hz = nan\ns_base_mva = true\n[sauce]\n"}, "unknown section 'sauce'"),
        ({"dynamics__gencls_csv": "h_s\n4\n"}, "dynamics/gencls.csv: column unit: is missing"),
        ({"network__bus_csv": None}, ""),
    ],
)
def test_single_faults(folder, change, expected):
    if expected:
        assert expected in message(folder(**change))
    else:
        place = folder()
        (place / "network" / "bus.csv").unlink()
        assert "network/bus.csv: table: is missing" in message(place)


def test_missing_network_folder(tmp_path):
    (tmp_path / "case.toml").write_text(FILES["case.toml"])
    assert "network: folder: is missing" in message(tmp_path)


def test_text_in_a_case_cannot_run(folder, tmp_path):
    mark = tmp_path / "ran"
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    place = folder(
        network__bus_csv=f'name,vn_kv,type\nA,110,"{code}"\nB,110,b\n',
        dynamics__gencls_csv=f'unit,h_s,xd1_pu,note\nG1,4,0.3,"{code}"\nG2,4,0.3,\n',
    )
    case = load_case(place)
    case.solve()
    assert code in case.net.bus["type"].tolist()
    assert f'h_s = "{code}"'[7:-1] in message(folder(dynamics__gencls_csv=f'unit,h_s\nG1,"{code}"\n'))
    assert not mark.exists()
