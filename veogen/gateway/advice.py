"""What the gateway's documents advise for the codes of its failures."""

_ADVICE = {
    # Tasks that failed.
    "content_policy_violation": "change the prompt or the image",
    "invalid_parameters": "correct the parameters",
    "image_processing_error": "check that the image can be read: its format, size and address",
    "image_dimension_mismatch": "give the image the size and ratio of the request",
    "request_cancelled": "submit it again if it is still wanted",
    "generation_failed_no_content": "try another prompt or image",
    "generation_timeout": "try again",
    "service_error": "try again after about a minute",
    "service_unavailable": "try again after one or two minutes",
    "resource_exhausted": "wait 30 to 60 seconds",
    "quota_exceeded": "slow down, or top up the account",
    "resource_not_found": "the id of the task is wrong or has expired",
    "unknown_error": "try again later, or give the id of the task to the gateway's support",
    # The file API.
    "40001": "the file is too large",
    "40002": "the gateway does not take files of this type",
    "40003": "the account holds as many files as it may: delete some, or wait till they expire",
    "40004": "the gateway could not fetch the file from its address",
    "50001": "the gateway could not store the file: try again later",
}


def advice_for(code: str | None) -> str:
    """The advice for a code; empty where there is none."""
    return _ADVICE.get(code or "", "")
