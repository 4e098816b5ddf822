"""``python -m mlperf_logging.compliance_checker FILE``."""

from mlperf_logging.cli.drop_in import leave, run_drop_in
from mlperf_logging.compliance_checker.mlp_compliance import check_file, get_parser

if __name__ == "__main__":
    leave(run_drop_in(get_parser(), check_file, words=("SUCCESS", "FAILED")))
