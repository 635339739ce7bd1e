"""Fails unless a validator that nobody here wrote takes an OpenAPI document; that it refuses what
is none is asked first."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()

spoilt = json.loads(text.replace('"in":', '"on":'))
if OpenAPIV31SpecValidator(spoilt).is_valid():
    sys.exit("the validator takes a document whose parameters are nowhere")
OpenAPIV31SpecValidator(json.loads(text)).validate()
print(f"{sys.argv[1]} is valid")
