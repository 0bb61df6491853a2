"""Three made-up centres, each with its own way of writing patients down; all patients are synthetic."""

import numpy as np
import pandas as pd
import yaml
from made import random_cohort

from nxp2lib import dictionary

JAPANESE = {  # the header that a Japanese centre may have typed, by column of the dictionary
    "patient_id": "研究ID",
    "synthetic": "架空症例",
    "sex": "性別",
    "age_at_onset": "発症年齢（歳）",
    "any_rash": "皮疹",
    "heliotrope_rash": "ヘリオトロープ疹",
    "gottron_sign_or_papules": "Gottron sign/papules",  # the dictionary's own label
    "facial_edema": "Facial Oedema ",  # British, with a space behind it
    "myalgia": "筋痛",
    "muscle_weakness": "筋力低下",
    "distal_weakness": "遠位筋力低下",
    "dysphagia": "嚥下障害",
    "malignancy": "悪性腫瘍",
    "malignancy_site": "原発巣",
    "max_creatine_kinase": "CK最高値",
    "ana_titer": "抗核抗体",
    "muscle_biopsy": "筋生検",
    "perifascicular_atrophy": "PFA",
}
NEVER_WRITTEN = ["Gottron sign/papules", "Facial Oedema "]  # headers that are understood without a map
SITES = {"stomach": "胃癌", "lung": "肺癌", "breast": "乳癌"}
TITERS = {"0": "<40", "40": "1:40", "80": "１：８０", "160": "160倍", "320": "x320", "640": "640", "1280": "1:1280"}


def patients(number: int, seed: int, missing: float = 0.05) -> pd.DataFrame:
    """Return synthetic patients as the dictionary's own files hold them, with shares that myositis could have."""
    rng = np.random.default_rng(seed)
    frame = random_cohort(number, seed, missing).assign(synthetic="1")
    frame["patient_id"] = [f"P{place:05x}" for place in range(1, number + 1)]
    frame["max_creatine_kinase"] = np.round(rng.lognormal(7.5, 1.3, number)).clip(20, 90_000).astype(int).astype(str)
    frame["creatine_kinase_elevated"] = np.where(frame["max_creatine_kinase"].astype(int) > 200, "1", "0")
    cancer = (rng.random(number) < 0.1) & (frame["age_at_onset"].astype(int) >= 18)
    frame["malignancy"] = np.where(cancer, "1", "0")
    frame["malignancy_site"] = np.where(cancer, rng.choice(list(SITES), number), "")
    frame["malignancy_years_from_onset"] = np.where(cancer, np.round(rng.normal(0, 2, number), 1).astype(str), "")
    return frame


def japanese(folder, wrong: bool = False):
    """Write the messy workbook of a Japanese centre, and the map that explains it; return both paths.

    With ``wrong`` the workbook holds three mistakes: an impossible age, an unreadable titer, a patient entered twice.
    """
    frame = patients(48, seed=11)[list(JAPANESE)]
    yes_no = [name for name in JAPANESE if dictionary.column(name).type == "yes_no" and name != "synthetic"]
    frame[yes_no] = frame[yes_no].replace({"1": "はい", "0": "いいえ"})
    frame["sex"] = frame["sex"].map({"male": "男", "female": "女"})
    frame["age_at_onset"] = [f"{age}歳" if place % 3 else age for place, age in enumerate(frame["age_at_onset"])]
    frame["ana_titer"] = frame["ana_titer"].map({**TITERS, "2560": ">=2560", "": "不明"})
    frame["malignancy_site"] = frame["malignancy_site"].replace(SITES)
    frame["max_creatine_kinase"] = [f"{int(level):,}" for level in frame["max_creatine_kinase"]]
    if wrong:
        frame.loc[3, "age_at_onset"] = "580"
        frame.loc[5, "ana_titer"] = "たぶん陰性"
        frame.loc[7, "patient_id"] = frame.loc[6, "patient_id"]
    frame = frame.rename(columns=JAPANESE)
    frame.insert(1, "氏名", "架空 花子")
    frame.insert(2, "生年月日", pd.Timestamp("1970-01-02"))
    frame["備考"] = "経過は良好であった。"
    workbook, explained = folder / "症例一覧.xlsx", folder / "map.yml"
    frame.reindex(range(-1, len(frame) + 2)).drop(index=-1).to_excel(workbook, index=False)  # two blank rows at the end
    columns = {header: name for name, header in JAPANESE.items() if header not in NEVER_WRITTEN}
    values = {"malignancy_site": {typed: site for site, typed in SITES.items()}}
    said = {"columns": columns, "values": values, "drop": ["氏名", "生年月日", "備考"]}
    explained.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return workbook, explained


def redcap(folder, labels: bool):
    """Write an export of a REDCap project that was set up from `nxp2 template --redcap`; return its path."""
    stored = dictionary.stored()
    frame = patients(60, seed=12)
    if labels:
        for name, column in stored.items():
            if column.type == "yes_no":
                frame[name] = frame[name].replace({"1": "Yes", "0": "No"})
            elif column.type == "category":
                frame[name] = frame[name].str.capitalize()
        frame = frame.rename(columns={name: column.label for name, column in stored.items()})
    frame.insert(1, "Event Name" if labels else "redcap_event_name", "Baseline" if labels else "baseline_arm_1")
    frame["Complete?" if labels else "patients_complete"] = "Complete" if labels else "2"
    path = folder / ("DATA_LABELS.csv" if labels else "DATA.csv")
    frame.to_csv(path, index=False)
    return path


def registry(folder, number: int = 100_000):
    """Write a registry's file as a European Excel saves it: semicolons, decimal commas, m and f; return its path."""
    frame = patients(number, seed=13, missing=0.02)
    frame["sex"] = frame["sex"].map({"male": "m", "female": "f"})
    frame["max_creatine_kinase"] += ",5"
    frame = frame.rename(columns={"facial_edema": "Facial oedema", "center": "Centre", "dysphagia": "DYSPHAGIA"})
    path = folder / "registry.csv"
    frame.to_csv(path, index=False, sep=";", encoding="cp1252")
    return path
