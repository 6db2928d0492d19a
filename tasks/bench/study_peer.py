"""Optuna as `deno task bench study` times it.

Prints a JSON line with its versions, then takes one job a line on stdin, as
JSON, and answers each with a JSON line. The study and its tables are made
before the clock starts.
"""
import json
import platform
import sys
import time
import warnings

import optuna

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

SAMPLERS = {
    "random": optuna.samplers.RandomSampler,
    "tpe": optuna.samplers.TPESampler,
}


def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 0.1, log=True)
    depth = trial.suggest_int("depth", 1, 8)
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam", "adamw"])
    return lr * depth + len(optimizer)


def reporting(epochs):
    def objective(trial):
        for epoch in range(1, epochs + 1):
            trial.report(1 / epoch, epoch)
        return 1.0

    return objective


def optimize(job, objective, trials):
    study = optuna.create_study(
        study_name=job["name"],
        storage=job["url"],
        sampler=SAMPLERS[job["sampler"]](seed=0),
    )
    start = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return {"ms": 1000 * (time.perf_counter() - start), "done": len(study.trials)}


def load(job):
    start = time.perf_counter()
    study = optuna.load_study(study_name=job["name"], storage=job["url"])
    trials = study.get_trials()
    ms = 1000 * (time.perf_counter() - start)
    return {"ms": ms, "done": sum(len(t.intermediate_values) for t in trials)}


def answer(job):
    if job["what"] == "load":
        return load(job)
    if job["what"] == "report":
        answer = optimize(job, reporting(job["size"]), 1)
        return {**answer, "done": load(job)["done"]}
    return optimize(job, objective, job["size"])


versions = {"optuna": optuna.__version__, "python": platform.python_version()}
print(json.dumps(versions), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
