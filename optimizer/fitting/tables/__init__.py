"""Tables of runs as files have them: formats, exports, logs and folders."""
