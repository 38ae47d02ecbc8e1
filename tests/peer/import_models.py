#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Imported models against the programs that trained them: scikit-learn and XGBoost train on data full of ties, zeros and
# missing values, and mldefender-forge import has to give their scores on rows of every kind, half of them exactly on a
# threshold or on the next binary32 to either side. Skipped without the Debian packages python3-sklearn and
# python3-xgboost. Run by ctest; `import_models.py --golden DIR` writes the golden files of tests/forge instead.
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

DEBIAN_PYTHON = "/usr/bin/python3"
missing = [name for name in ("numpy", "sklearn", "xgboost") if importlib.util.find_spec(name) is None]
if missing and os.path.realpath(sys.executable) != os.path.realpath(DEBIAN_PYTHON) and os.access(DEBIAN_PYTHON, os.X_OK):
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])  # another python comes first in PATH, without Debian's packages
if missing:
    print(f"skipped: no python module {', '.join(missing)}; scripts/bootstrap test installs python3-sklearn and "
          "python3-xgboost")
    sys.exit(77)

import numpy as np  # noqa: E402
import sklearn.ensemble  # noqa: E402
import sklearn.tree  # noqa: E402
import xgboost  # noqa: E402

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS.parent / "tools/forge")]
import _tools  # noqa: E402
import dump_sklearn  # noqa: E402
from _tools import FORGE, ToolTest  # noqa: E402

np.seterr(all="ignore")  # sums of the largest numbers overflow where scikit-learn looks for infinities
FEATURES = ["flow_duration", "total_fwd_packets", "total_bwd_packets", "fwd_packet_length_mean", "flow_bytes_s",
            "flow_iat_mean", "syn_flag_count", "down_up_ratio", "fwd_payload_entropy", "dns_nxdomain_share",
            "src_flows", "beacon"]
ONE_ULP = 2.0**-23 * 0.5  # of scores below 1


def training_data(seed, rows=4000, missing_share=0.0):
    """Counts with many ties, shares, and numbers over many decades, signs included, in binary32."""
    random = np.random.default_rng(seed)
    columns = [random.integers(0, 7, rows) if i % 3 == 0 else
               np.exp(random.normal(0, 4, rows)) * random.choice([-1, 0, 1, 1], rows) if i % 3 == 1 else
               random.uniform(0, 1, rows) for i in range(len(FEATURES))]
    data = np.column_stack(columns).astype(np.float32)
    signal = (data[:, 0] > 3).astype(int) + (data[:, 1] > 0.2) + (data[:, 2] * data[:, 3] > 1) + (data[:, 4] < 0)
    label = (signal + random.normal(0, 0.7, rows) > 2).astype(int)
    if missing_share:
        data[random.uniform(size=data.shape) < missing_share] = np.nan
    return data, label


def rows_on_thresholds(thresholds, seed, rows, missing_share=0.0):
    """Rows with values drawn from the thresholds of the model, their neighbours, and ordinary values."""
    random = np.random.default_rng(seed)
    data, _ = training_data(seed, rows, missing_share)
    for column, limits in thresholds.items():
        near = np.asarray(limits, dtype=np.float64)[random.integers(0, len(limits), rows)].astype(np.float32)
        step = random.integers(-1, 2, rows)
        near = np.where(step < 0, np.nextafter(near, np.float32(-np.inf)),
                        np.where(step > 0, np.nextafter(near, np.float32(np.inf)), near)).astype(np.float32)
        use = random.uniform(size=rows) < 0.5
        data[use, column] = near[use]
    odd = np.array([0.0, -0.0, 1e-45, -1e-45, 1e-35, -1e-35, 3.4e38, -3.4e38], dtype=np.float32)
    for row in range(0, rows, 50):
        data[row, random.integers(0, data.shape[1])] = odd[random.integers(0, len(odd))]
    return data


def csv_of(data, scores):
    lines = [",".join(FEATURES + ["score"])]
    for row, score in zip(data, scores.astype(np.float32)):
        lines.append(",".join(repr(float(value)) for value in [*row, score]))
    return "\n".join(lines) + "\n"


def sklearn_thresholds(trees):
    out = {}
    for tree in trees:
        for feature, threshold in zip(tree.feature, tree.threshold):
            if feature >= 0:
                out.setdefault(int(feature), []).append(threshold)
    return out


def xgboost_thresholds(path):
    out = {}
    for tree in json.loads(path.read_text())["learner"]["gradient_booster"]["model"]["trees"]:
        for left, feature, threshold in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
            if left >= 0:
                out.setdefault(feature, []).append(threshold)
    return out


def sklearn_model(kind, seed, **settings):
    data, label = training_data(seed)
    model = kind(random_state=seed, **settings)
    return model.fit(data, label)


def xgboost_model(seed, rounds=100, missing_share=0.0, **settings):
    data, label = training_data(seed, missing_share=missing_share)
    matrix = xgboost.DMatrix(data, label, feature_names=FEATURES)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1, "seed": seed, **settings}, matrix, rounds)


class Peer(ToolTest):
    def imports(self, path, data, scores, tolerance, name="ddos"):
        """Imports with verification, prints what was compared."""
        rows = self.write("rows.csv", csv_of(data, scores))
        bundle = self.work / "imported.mldf"
        said = self.tool(FORGE, "import", path, "--name", name, "--class", "ddos", "--out", bundle, "--verify", rows,
                         "--tolerance", tolerance, timeout=600).stdout
        compared, equal, apart = re.search(r": (\d+) rows, (\d+) scores equal to the bit, largest difference (\S+)",
                                           said).groups()
        self.assertEqual(int(compared), len(data))
        print(f"{self.id().split('.')[-1]}: {compared} rows, {equal} equal to the bit, largest difference {apart}")
        return bundle, int(equal)

    def sklearn_peer(self, model, trees, tolerance=0.0, rows=10000):
        path = self.work / "model.json"
        dump_sklearn.dump(model, path, FEATURES)
        data = rows_on_thresholds(sklearn_thresholds(trees), 99, rows)
        return self.imports(path, data, model.predict_proba(data)[:, 1], tolerance)

    def xgboost_peer(self, booster, rows=10000, missing_share=0.1):
        path = self.work / "model.json"
        booster.save_model(path)
        data = rows_on_thresholds(xgboost_thresholds(path), 98, rows, missing_share)
        scores = booster.predict(xgboost.DMatrix(data, feature_names=FEATURES))
        bundle, equal = self.imports(path, data, scores, ONE_ULP)
        self.assertGreater(equal, 0.98 * rows)  # the others differ by expf, in the last bit
        return bundle

    def test_random_forest(self):
        model = sklearn_model(sklearn.ensemble.RandomForestClassifier, 1, n_estimators=100)
        self.sklearn_peer(model, [one.tree_ for one in model.estimators_])

    def test_large_random_forest(self):
        model = sklearn_model(sklearn.ensemble.RandomForestClassifier, 2, n_estimators=400, max_depth=6,
                              class_weight="balanced")
        self.sklearn_peer(model, [one.tree_ for one in model.estimators_])

    def test_extra_trees(self):
        model = sklearn_model(sklearn.ensemble.ExtraTreesClassifier, 3, n_estimators=50)
        self.sklearn_peer(model, [one.tree_ for one in model.estimators_])

    def test_decision_tree(self):
        model = sklearn_model(sklearn.tree.DecisionTreeClassifier, 4)
        self.sklearn_peer(model, [model.tree_])

    def test_gradient_boosting(self):
        model = sklearn_model(sklearn.ensemble.GradientBoostingClassifier, 5, n_estimators=120)
        self.sklearn_peer(model, [stage[0].tree_ for stage in model.estimators_], ONE_ULP)

    def test_gradient_boosting_from_zero(self):
        model = sklearn_model(sklearn.ensemble.GradientBoostingClassifier, 6, n_estimators=30, init="zero")
        self.sklearn_peer(model, [stage[0].tree_ for stage in model.estimators_], ONE_ULP)

    def test_xgboost_hist(self):
        self.xgboost_peer(xgboost_model(7, missing_share=0.2, tree_method="hist"))

    def test_xgboost_exact(self):
        self.xgboost_peer(xgboost_model(8, missing_share=0.2, tree_method="exact", max_depth=8))

    def test_xgboost_without_missing_values_in_training(self):
        self.xgboost_peer(xgboost_model(9, tree_method="hist", base_score=0.3))

    def test_xgboost_many_small_steps(self):
        self.xgboost_peer(xgboost_model(10, 600, tree_method="hist", eta=0.02, max_depth=4, missing_share=0.1))

    def test_xgboost_parallel_trees(self):
        self.xgboost_peer(xgboost_model(11, 5, num_parallel_tree=20, subsample=0.6, tree_method="hist", eta=0.4,
                                        missing_share=0.1))

    def test_xgboost_stopped_early(self):
        data, label = training_data(12)
        matrix = xgboost.DMatrix(data, label, feature_names=FEATURES)
        other, other_label = training_data(13, 500)
        booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "eta": 1.0}, matrix, 60,
                                evals=[(xgboost.DMatrix(other, other_label, feature_names=FEATURES), "other")],
                                early_stopping_rounds=5, verbose_eval=False)
        path = self.work / "stopped.json"
        booster.save_model(path)
        said = self.tool(FORGE, "import", path, "--name", "ddos", "--class", "ddos", "--out", self.work / "x.mldf",
                         status=1).stderr
        self.assertIn("learner.attributes.best_iteration: an early stop left later rounds", said)
        best = int(re.search(r"booster\[:(\d+)\]", said).group(1))
        self.xgboost_peer(booster[:best])

    def test_refused(self):
        data, label = training_data(14, 400)
        kinds = [("multi:softprob", "learner.objective.name: \"multi:softprob\" cannot be expressed",
                  {"num_class": 3}, np.arange(400) % 3),
                 ("reg:squarederror", "learner.objective.name", {}, label)]
        for objective, words, more, labels in kinds:
            path = self.work / "refused.json"
            xgboost.train({"objective": objective, **more}, xgboost.DMatrix(data, labels, feature_names=FEATURES),
                          2).save_model(path)
            self.refuses(path, words)
        for booster, words in (("dart", "learner.gradient_booster.name"), ("gblinear", "learner.gradient_booster.name")):
            path = self.work / f"{booster}.json"
            xgboost_model(15, 2, booster=booster).save_model(path)
            self.refuses(path, words)
        path = self.work / "unnamed.json"
        xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(data, label), 2).save_model(path)
        self.refuses(path, "learner.feature_names: the model does not name its columns")
        path = self.work / "misspelt.json"
        names = ["flow_duratoin", *FEATURES[1:]]
        xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(data, label, feature_names=names),
                      5).save_model(path)
        self.refuses(path, 'learner.feature_names[0]: "flow_duratoin" is no feature of this version, the nearest is '
                           '"flow_duration"')

    def refuses(self, path, words):
        said = self.tool(FORGE, "import", path, "--name", "ddos", "--class", "ddos", "--out", self.work / "x.mldf",
                         status=1).stderr
        self.assertIn(f"{path}: {words}", said)
        self.assertFalse((self.work / "x.mldf").exists())

    def test_dump_refuses(self):
        data, label = training_data(16, 300)
        three = sklearn.ensemble.RandomForestClassifier(5).fit(data, np.arange(300) % 3)
        regressor = sklearn.ensemble.RandomForestRegressor(5).fit(data, label)
        other = sklearn.ensemble.GradientBoostingClassifier(
            n_estimators=2, init=sklearn.tree.DecisionTreeClassifier(max_depth=1)).fit(data, label)
        good = sklearn.tree.DecisionTreeClassifier(max_depth=2).fit(data, label)
        for model, features, words in ((three, FEATURES, "only two"), (regressor, FEATURES, "RandomForestRegressor"),
                                       (other, FEATURES, "another model"), (good, None, "name its columns"),
                                       (good, FEATURES[1:], "11 feature names for 12 columns")):
            with self.assertRaisesRegex(ValueError, words):
                dump_sklearn.dump(model, self.work / "x.json", features)

    def test_dump_as_a_program(self):
        import joblib
        data, label = training_data(17, 300)
        model = sklearn.tree.DecisionTreeClassifier(max_depth=4).fit(data, label)
        model.feature_names_in_ = np.array(FEATURES, dtype=object)  # as fit does with a DataFrame
        joblib.dump(model, self.work / "model.joblib")
        script = pathlib.Path(dump_sklearn.__file__)
        done = subprocess.run([sys.executable, script, self.work / "model.joblib", self.work / "model.json"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((self.work / "model.json").read_text()),
                         json.loads(json.dumps(dump_sklearn.describe(model))))
        del model.feature_names_in_
        self.imports(self.work / "model.json", data, model.predict_proba(data)[:, 1], 0.0)


def write_golden(folder):
    """Small models and rows that tests/forge compares without either program."""
    forest = sklearn_model(sklearn.ensemble.RandomForestClassifier, 21, n_estimators=5, max_depth=4)
    dump_sklearn.dump(forest, folder / "sklearn_forest.json", FEATURES)
    data = rows_on_thresholds(sklearn_thresholds([one.tree_ for one in forest.estimators_]), 22, 300)
    (folder / "sklearn_forest.csv").write_text(csv_of(data, forest.predict_proba(data)[:, 1]))
    boosted = sklearn_model(sklearn.ensemble.GradientBoostingClassifier, 23, n_estimators=6, max_depth=3)
    dump_sklearn.dump(boosted, folder / "sklearn_boosted.json", FEATURES)
    data = rows_on_thresholds(sklearn_thresholds([stage[0].tree_ for stage in boosted.estimators_]), 24, 300)
    (folder / "sklearn_boosted.csv").write_text(csv_of(data, boosted.predict_proba(data)[:, 1]))
    booster = xgboost_model(25, 6, missing_share=0.2, max_depth=4, tree_method="hist", base_score=0.25)
    booster.save_model(folder / "xgboost.json")
    data = rows_on_thresholds(xgboost_thresholds(folder / "xgboost.json"), 26, 300, 0.1)
    scores = booster.predict(xgboost.DMatrix(data, feature_names=FEATURES))
    (folder / "xgboost.csv").write_text(csv_of(data, scores))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--golden":
        write_golden(pathlib.Path(sys.argv[2]))
    else:
        _tools.need(FORGE)
        unittest.main()
