"""A nightly export with leads-etl, for Airflow 2.10 and later.

The exit codes say what to do: 4 (gaps, or the quota is spent) and 1 (the machine, the
API is away) are tried again, 2 and 3 (configuration, login) are not, for only a person
can help; 5 means that what was landed waits for a sink, and a replay delivers it.
"""

import datetime
import subprocess

COMMAND = ["leads-etl", "run", "--config", "/etc/leads-etl/leads-etl-batch.toml", "--json"]

DONE, UNEXPECTED, USAGE, REFUSED, INCOMPLETE, SINK, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


def verdict(code):
    """Returns "done", "again" or "give up" for an exit code of leads-etl."""
    if code == DONE:
        return "done"
    if code in (USAGE, REFUSED):
        return "give up"
    return "again"


def export(command=None):
    """Runs the export; what is to be tried again is an ordinary failure."""
    try:
        from airflow.sdk.exceptions import AirflowException, AirflowFailException  # Airflow 3
    except ImportError:
        from airflow.exceptions import AirflowException, AirflowFailException

    code = subprocess.run(command or COMMAND, check=False).returncode
    match verdict(code):
        case "give up":
            raise AirflowFailException(f"leads-etl ended with {code}: see its log for what to mend")
        case "again":
            raise AirflowException(f"leads-etl ended with {code}: the same command goes on from there")


try:
    from airflow.sdk import dag, task  # Airflow 3
except ImportError:
    try:
        from airflow.decorators import dag, task
    except ImportError:
        dag = None  # read without Airflow, by a test of the rules above

if dag is not None:

    @dag(
        schedule="20 3 * * *",
        start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
        catchup=False,
        max_active_runs=1,  # the state folder belongs to one process
        tags=["leads-etl"],
    )
    def leads_etl():
        # Between tries the quota's day may begin anew.
        task(task_id="export", retries=4, retry_delay=datetime.timedelta(minutes=30), retry_exponential_backoff=True)(export)()

    leads_etl()
