/* Prints the JSON schema of policy files, for check_schema.py. */
#include <stdio.h>

#include "regwarden/json.h"
#include "regwarden/policy.h"

int main(void)
{
    AUTO_JSON struct json *schema = policy_schema();
    AUTO_TEXT struct text text = {0};

    json_write(schema, JSON_INDENTED, &text);
    puts(text_data(&text));
    return 0;
}
