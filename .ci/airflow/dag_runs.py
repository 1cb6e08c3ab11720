"""Has Airflow import the DAG and run its task: the real program, the simulator for the API.

    dag_runs.py --dag deploy/airflow/leads_etl.py --program PATH --work DIR

Airflow's own database is an SQLite file in DIR. For each end of the program the state
of the task must be the one that the rules of the DAG promise.
"""

import argparse
import datetime
import os
import pathlib
import re
import subprocess
import sys

CONFIG = """\
mode = "batch"
[ebay]
account   = "demo"
client-id = "simulator"
[batch]
last = "90d"
[state]
dir = "{folder}/state"
[ndjson]
dir = "{folder}/ndjson"
[log]
format = "json"
"""

# The case, what is different in it, the program's exit code, the state of the task.
CASES = [
    ("good", {}, 0, "success"),
    ("refused", {"LEADS_ETL_EBAY_CLIENT_SECRET": "wrong"}, 3, "failed"),
    ("wrong", {"LEADS_ETL_BATCH_LAST": "ninety"}, 2, "failed"),
    ("away", {"LEADS_ETL_EBAY_API_URL": "http://127.0.0.1:1/sell/leads/v1"}, 1, "up_for_retry"),
]


def simulator(program):
    """Starts the stand-in for the API; returns it, and the variables that lead to it."""
    process = subprocess.Popen([program, "simulate", "--addr", "127.0.0.1:0", "--leads", "300", "--clean"], stdout=subprocess.PIPE, text=True)
    variables = {}
    for line in process.stdout:
        if exported := re.match(r"\s+export (\w+)=(\S+)", line):
            variables[exported[1]] = exported[2]
        if "LEADS_ETL_EBAY_CLIENT_SECRET" in variables:
            return process, variables
    raise SystemExit("the simulator did not say how to reach it")


def airflow(*args, env):
    return subprocess.run([os.path.join(sys.prefix, "bin", "airflow"), *args], env=env, capture_output=True, text=True, check=False)


def inspect(folder):
    """The DAG as Airflow reads it: without errors, and what it is meant to be."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=folder)
    assert not bag.import_errors, bag.import_errors
    assert list(bag.dags) == ["leads_etl"], bag.dags
    dag = bag.dags["leads_etl"]
    assert [t.task_id for t in dag.tasks] == ["export"], dag.tasks
    assert dag.max_active_runs == 1 and not dag.catchup
    export = dag.get_task("export")
    assert export.retries == 4 and export.retry_delay == datetime.timedelta(minutes=30) and export.retry_exponential_backoff
    assert not export.upstream_task_ids and not export.downstream_task_ids


def run(case, work, env):
    name, different, code, want = case
    folder = work / name
    folder.mkdir()
    (work / "leads-etl.toml").write_text(CONFIG.format(folder=folder))
    done = airflow("tasks", "test", "leads_etl", "export", env=env | different)
    said = done.stdout + done.stderr
    states = re.findall(r"new_state=(\w+)", said)
    ended = re.findall(r"leads-etl ended with (\d+)", said)
    if states != [want] or (code and str(code) not in ended):
        print(said)
        raise SystemExit(f"{name}: the state of the task is {states}, not {want}; the program ended with {ended}, not {code}")
    if not code and not any(folder.glob("ndjson/**/*.zst")):
        raise SystemExit(f"{name}: the task is done, and no file is there")
    if "DeprecatedImportWarning" in said:
        raise SystemExit("Airflow calls an import of the DAG deprecated:\n" + said)
    print(f"deploy/airflow: exit code {code} gives {want}")


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--dag", type=pathlib.Path, required=True)
    flags.add_argument("--program", required=True)
    flags.add_argument("--work", type=pathlib.Path, required=True)
    args = flags.parse_args()

    dags, bin_ = args.work / "dags", args.work / "bin"
    for folder in (dags, bin_):
        folder.mkdir(parents=True)
    os.symlink(args.program, bin_ / "leads-etl")
    # The DAG as it is, but for the place of its configuration.
    text = args.dag.read_text()
    place = "/etc/leads-etl/leads-etl-batch.toml"
    assert text.count(place) == 1
    (dags / args.dag.name).write_text(text.replace(place, str(args.work / "leads-etl.toml")))

    os.environ |= {
        "AIRFLOW_HOME": str(args.work / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PATH": f"{bin_}:{os.environ['PATH']}",
    }
    inspect(str(dags))
    import airflow as package

    print(f"deploy/airflow: Airflow {package.__version__} imports the DAG")
    made = airflow("db", "migrate", env=os.environ.copy())
    if made.returncode:
        raise SystemExit(made.stdout + made.stderr)
    process, variables = simulator(args.program)
    try:
        for case in CASES:
            run(case, args.work, os.environ.copy() | variables)
    finally:
        process.terminate()
        process.wait()


main()
