"""Adapters, in layers. An adapter may import the adapters below it, but none above or beside it (see
"technologies" in pyproject.toml).

embedded | http | in_process | postgres | rabbit | telemetry
cloudevents             encodes and decodes events
    | identity          tokens of people and of services
    | rate_limits       counts the calls of each caller
    | system_clock      the clock of this machine
lanes                   finds a user's lane, and joins the ports of all lanes
    | answer_start      when and how the answer of an HTTP call started
    | networks          lists of IP networks
    | request_id        the id of the current call
    | trace_context     the trace of the current call
    | reread            settings in files, read again when a file changes
    | sources           which service may publish an event
words                   errors as one line of text
"""
