"""What may be written in a faults file, told once: `veogen simulate --help` shows it."""

GUIDE = """\
A faults file (YAML) says what goes wrong, and what the simulated account is like:

    gateway: {concurrency: 4, requests_per_minute: 30, credits: 500}
    faults:
      - {at: submit, do: drop, taken: true, prompt: boat, times: 1}
      - {at: download, do: answer, status: 403, rate: 0.2}

When: all that is written must hold, and of several faults the first happens.

    prompt      these words are in the prompt (of an upload: in the file's name), in any case
    rate        this share of what it meets, 0 to 1, chosen by --seed
    times       only so often for one request, task or clip; with 1 the second try succeeds
    total       only so often in all
    skip        not the first so many times for one request, task or clip
    from, to    only so many seconds after the first request that was seen

What: `at` is the place, `do` what happens there.

    everywhere but at task
      answer         with `status`, and `code`, `message`, `body` (json, html, empty, garbage),
                     `details` (a mapping: more fields of the error, or others), `location`,
                     `retry_after` or `retry_after_date` (seconds from now)
      drop           the connection ends without an answer
      hang           no answer until the client leaves, or for `seconds`, then drop
      slow           the right answer, `seconds` late
    submit
      no-id          200, but without the task's id
      taken: true    with any of them but slow: the task is made and billed nonetheless
    poll             a batch read takes part in the faults of its tasks
      wrong-id       another task's id
      unknown-state  `state`, or "transcoding"
      no-links       of a completed task
      fewer-links    of a completed task: only so many `links`
    task             /openapi.json lists the codes that are documented
      fail           `code`, `message`, `details`; `charged: true` keeps the money
      cancel         the same, without a code
      stuck          it never ends
      slow           it takes `seconds` more
    download
      truncated      the first part of the bytes (`after`: 0 to 1, else half) as if that were all;
                     `length: false` without Content-Length
      corrupt        it begins as an MP4 and is none
      expired        the link has, before its time
      no-length      without Content-Length
      changed        another ETag each time
      drop, slow     lost `after` that part; spread over `seconds`
    upload, batch, list, credits, models
                     what happens everywhere

The account: keys of `gateway`.

    concurrency          tasks worked on at once; the rest are pending (16)
    requests_per_minute  more submits are refused with 429 (no limit)
    reads_per_minute     more reads of tasks, alone or in batches, are too (no limit)
    retry_after          what such a 429 says: none, seconds or date (none)
    credits              the balance (1000000)
    links_expire         seconds that result links live (86400)
    files_expire         seconds that uploaded files live (259200)
    max_files            uploaded files at one time (100)
    models               ids that the account may use (all)
    spread               of generation times: the sigma of a log-normal, 0 to 3 (0.25)
    estimated_time       what tasks say about how long they take (--generation-time)
    clips                each its own, or shared: one for all of a shape, for load tests (each)
    outages              a list of {from, seconds}: nothing listens at all
"""
