"""What happens in a study: journalled to disk, written to MLflow by one writer, read from there.

Importing it sets, where they are not set, the environment variables that MLflow reads: no usage
reports leave the machine, no bar is drawn for every file that is read, no address is printed for
every run that ends, and a server that does not answer is given up on within seconds, because the
journal waits for it better than a request does.
"""

import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
