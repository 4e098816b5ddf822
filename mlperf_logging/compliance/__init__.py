"""Judge: rule files into rulesets, logs into verdicts."""
