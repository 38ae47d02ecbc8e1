#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Writes a scikit-learn model as the JSON that `mldefender-forge import` reads. Takes a fitted RandomForestClassifier,
# ExtraTreesClassifier, DecisionTreeClassifier or GradientBoostingClassifier of two classes, the second of which (1, True,
# "attack") is the attack; refuses others, saying why. Every number is written so that it reads back as the same bits.
#
#   from dump_sklearn import dump
#   dump(model, "model.json")                      # feature names as in fit, or features=[...]
#   python3 dump_sklearn.py model.joblib model.json    # of joblib or pickle; loading runs code, so load only your own
import json
import sys

FORMAT = "mldefender-sklearn 1"


def _refuse(why):
    raise ValueError(f"dump_sklearn: {why}")


def _features(model, features):
    names = features if features is not None else getattr(model, "feature_names_in_", None)
    if names is None:
        _refuse("the model does not name its columns; fit it with a DataFrame or pass features=[...]")
    names = [str(name) for name in names]
    if len(names) != model.n_features_in_:
        _refuse(f"{len(names)} feature names for {model.n_features_in_} columns")
    return names


def _gain(tree):
    """Weighted decrease of impurity of each split, 0 at leaves."""
    left, right, weight = tree.children_left, tree.children_right, tree.weighted_n_node_samples
    amount = weight * tree.impurity
    return [float(amount[i] - amount[left[i]] - amount[right[i]]) if left[i] >= 0 else 0.0
            for i in range(tree.node_count)]


def _tree(tree, value):
    missing = getattr(tree, "missing_go_to_left", None)  # since scikit-learn 1.3
    return {"left": tree.children_left.tolist(), "right": tree.children_right.tolist(),
            "feature": tree.feature.tolist(), "threshold": tree.threshold.tolist(),
            "missing_left": [int(m) for m in missing] if missing is not None else [0] * tree.node_count,
            "value": [float(v) for v in value], "cover": tree.weighted_n_node_samples.tolist(), "gain": _gain(tree)}


def _probabilities(tree, version):
    """What predict_proba of a tree gives its leaves for the second class."""
    counts = tree.value[:, 0, :]
    if version >= (1, 3):  # shares already
        return counts[:, 1]
    total = counts.sum(axis=1)
    total[total == 0.0] = 1.0
    return counts[:, 1] / total


def _start(model):
    """The constant every sum of a GradientBoostingClassifier begins with."""
    import numpy
    if model.init_ is None or (isinstance(model.init_, str) and model.init_ == "zero"):
        return 0.0
    row = numpy.zeros((1, model.n_features_in_), dtype=numpy.float32)
    if type(model.init_).__name__ != "DummyClassifier":
        _refuse("gradient boosting that starts from another model cannot be expressed; leave init alone")
    return float(model._raw_predict_init(row)[0, 0])


def describe(model, features=None):
    """The model as a dictionary, ready for JSON."""
    import sklearn
    version = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    kind = type(model).__name__
    if kind not in ("RandomForestClassifier", "ExtraTreesClassifier", "DecisionTreeClassifier",
                    "GradientBoostingClassifier"):
        _refuse(f"{kind} cannot be expressed; use RandomForest-, ExtraTrees-, DecisionTree- or GradientBoostingClassifier")
    if getattr(model, "n_outputs_", 1) != 1 or len(model.classes_) != 2:
        _refuse(f"classes {list(model.classes_)}: only two can be expressed; train attack (1) against the rest (0)")
    out = {"format": FORMAT, "source": f"scikit-learn {sklearn.__version__} {kind}", "link": "mean", "start": 0.0,
           "features": _features(model, features)}
    if kind == "GradientBoostingClassifier":
        if model.loss not in ("log_loss", "deviance"):
            _refuse(f"loss={model.loss!r} cannot be expressed; train with loss='log_loss'")
        trees = [stage[0].tree_ for stage in model.estimators_]
        out.update(link="logistic", start=_start(model),
                   trees=[_tree(tree, model.learning_rate * tree.value[:, 0, 0]) for tree in trees])
    else:
        trees = [one.tree_ for one in getattr(model, "estimators_", [model])]
        out["trees"] = [_tree(tree, _probabilities(tree, version)) for tree in trees]
    return out


def dump(model, path, features=None):
    """Writes a fitted model to a file; `features` names its columns when the model does not."""
    text = json.dumps(describe(model, features), allow_nan=False, separators=(",", ":"))
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main():
    if len(sys.argv) != 3 or sys.argv[1] in ("-h", "--help"):
        print("usage: dump_sklearn.py MODEL.joblib|MODEL.pickle OUT.json", file=sys.stderr)
        return 0 if sys.argv[1:2] in (["-h"], ["--help"]) else 2
    try:
        import joblib  # reads pickles too
        dump(joblib.load(sys.argv[1]), sys.argv[2])
    except (OSError, ValueError, ImportError) as problem:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
