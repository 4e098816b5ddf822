"""The rule language and its loading: files, resolved, bound, compiled; the catalogue and its pages."""
