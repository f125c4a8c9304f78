/* The table of messages. */
#include "messages.h"

#include <stddef.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DA "sha256:" A64
#define DB "sha256:" B64
#define OCI "application/vnd.oci.image.manifest.v1+json"

#define AWS_URL "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"
#define AZURE_URL "https://acme.azurecr.io"
#define GOOGLE_URL "https://europe-docker.pkg.dev"
#define GITHUB_URL "https://ghcr.io"

#define IGNORED "ignored 1\n"
#define NOT_OURS(host) "fault the event is of " host ", which is not the registry \"main\"\n"
#define SHORT_FAULT "fault \"sha256:abc\" is not a digest: wrong number of hex digits\n"

#define EVENTS(action, target, more) \
    "{'events':[{'id':'e','action':'" action "','target':{" target "}" more "}]}"

#define HARBOR(type, resource, more)                                               \
    "{'type':'" type "','occur_at':1,'operator':'bob','event_data':{'resources':[" \
    "{" resource "}],'repository':{'repo_full_name':'library/app'}" more "}}"

#define BRIDGE_IN(region, source, type, account, detail)                                         \
    "{'version':'0','id':'i','detail-type':'" type "','source':'" source "','account':'" account \
    "','region':'" region "','detail':{" detail "}}"
#define BRIDGE(source, type, account, detail) BRIDGE_IN("eu-west-1", source, type, account, detail)
#define ECR(type, detail) BRIDGE("aws.ecr", type, "123456789012", detail)
#define IMAGE "'repository-name':'team/app','image-digest':'" DA "'"
#define SNS_ECR                                                                                   \
    "{\\'source\\':\\'aws.ecr\\',\\'detail-type\\':\\'ECR Image Action\\',\\'account\\':"         \
    "\\'123456789012\\',\\'region\\':\\'eu-west-1\\',\\'detail\\':{\\'result\\':\\'SUCCESS\\',"   \
    "\\'action-type\\':\\'PUSH\\',\\'repository-name\\':\\'team/app\\',\\'image-digest\\':\\'" DA \
    "\\'}}"
#define SNS(type, message) \
    "{'Type':'" type       \
    "','MessageId':'m','TopicArn':'arn:aws:sns:eu-west-1:1:t','Message':'" message "'}"

#define ACR(action, target, host)                                                          \
    "{'id':'i','timestamp':'2024-01-01T00:00:00Z','action':'" action "','target':{" target \
    "},'request':{'host':'" host "'}}"
#define GRID(type, data) "{'id':'g','eventType':'" type "','subject':'','data':" data "}"
#define CLOUD(type, data) "{'specversion':'1.0','id':'c','type':'" type "'," data "}"
#define PUSHED "Microsoft.ContainerRegistry.ImagePushed"
#define IMAGE_V1 "'repository':'app','tag':'v1','digest':'" DA "'"

#define GITHUB(key, action, kind, version, more)                                         \
    "{'action':'" action "','" key "':{'name':'App','" kind ",'owner':{'login':'Acme'}," \
    "'package_version':{" version "}" more "},'sender':{'login':'eve'}}"
#define CONTAINER "package_type':'CONTAINER'"
#define GITEA(action, type, version)                                                            \
    "{'action':'" action "','package':{'type':'" type "','name':'App','version':'" version "'," \
    "'owner':{'login':'Acme'}},'sender':{'login':'eve'}}"
#define ZOT(type) "ce-specversion: 1.0\nce-type: zotregistry." type "\nce-id: z"
#define JFROG(domain, type, origin, data)                                                         \
    "{'domain':'" domain "','event_type':'" type "','data':{'repo_key':'docker-local'," data "}," \
    "'jpd_origin':'" origin "','source':'jfrog/eve'}"
#define JFROG_IMAGE "'image_name':'app','tag':'v1','sha256':'" A64 "'"
#define NEXUS(repository, action, component)                                             \
    "{'timestamp':'t','nodeId':'N','initiator':'eve','repositoryName':'" repository "'," \
    "'action':'" action "','component':{" component "}}"
#define PUBSUB(data) "{'message':{'data':'" data "','messageId':'7'},'subscription':'s'}"

const struct test_message test_messages[] = {
    {"pushed with references", "distribution", NULL,
     "content-type: application/vnd.docker.distribution.events.v2+json",
     EVENTS("push",
            "'mediaType':'" OCI "','digest':'" DA "','repository':'a','tag':'v1',"
            "'references':[{'mediaType':'x','digest':'bad'}]",
            ",'actor':{'name':'eve'}"),
     "push a:v1@aaaaaaaaaaaa by eve\n"},
    {"the empties of version 3", "distribution", NULL,
     "content-type: application/vnd.docker.distribution.events.v1+json",
     EVENTS("delete", "'mediaType':'','digest':'','size':0,'repository':'a','tag':'v1'", ""),
     "delete a:v1\n"},
    {"a HEAD is a pull", "distribution", NULL, NULL,
     EVENTS("pull", "'mediaType':'" OCI "','digest':'" DA "','repository':'a'",
            ",'request':{'method':'HEAD'}"),
     IGNORED},
    {"the client's host is not looked at", "distribution", NULL, NULL,
     EVENTS("push", "'digest':'" DA "','repository':'a','url':'http://evil.example/'",
            ",'request':{'host':'evil.example'}"),
     "push a@aaaaaaaaaaaa\n"},
    {"pushed by a person", "gitlab", NULL, NULL,
     EVENTS("push", "'digest':'" DA "','repository':'g/p','tag':'v1'",
            ",'actor':{'name':'eve','user_type':'personal_access_token'}"),
     "push g/p:v1@aaaaaaaaaaaa by eve\n"},
    {"a tag deleted", "gitlab", NULL, NULL,
     EVENTS("delete", "'repository':'g/p','tag':'v1'", ",'actor':{'user_type':'build'}"),
     "delete g/p:v1\n"},
    {"a manifest deleted", "gitlab", NULL, NULL,
     EVENTS("delete", "'repository':'g/p','digest':'" DA "'", ",'actor':{'user_type':'build'}"),
     "delete g/p@aaaaaaaaaaaa\n"},
    {"a tag without a name is not the manifest", "gitlab", NULL, NULL,
     EVENTS("delete", "'repository':'g/p','digest':'" DA "','tag':''",
            ",'actor':{'user_type':'build'}"),
     IGNORED},

    {"a scan", "harbor", NULL, NULL,
     HARBOR("SCANNING_COMPLETED", "'digest':'" DA "','tag':'v1','scan_overview':{}", ""),
     "scanned library/app@aaaaaaaaaaaa by bob\n"},
    {"a scan that says what it was", "harbor", NULL, NULL,
     HARBOR("SCANNING_COMPLETED", "'digest':'" DA "'", ",'scan':{'scan_type':'vulnerability'}"),
     "scanned library/app@aaaaaaaaaaaa by bob\n"},
    {"a list of contents", "harbor", NULL, NULL,
     HARBOR("SCANNING_COMPLETED", "'digest':'" DA "'", ",'scan':{'scan_type':'sbom'}"), IGNORED},
    {"a list of contents of older releases", "harbor", NULL, NULL,
     HARBOR("SCANNING_COMPLETED", "'digest':'" DA "','sbom_overview':{}", ""), IGNORED},
    {"a scan of nothing", "harbor", NULL, NULL, HARBOR("SCANNING_COMPLETED", "'tag':'v1'", ""),
     "fault artifact 0: it has no digest\n"},
    {"a scan as CloudEvent", "harbor", NULL, "content-type: application/cloudevents+json",
     CLOUD("harbor.scan.completed", "'operator':'auto','data':{'resources':[{'digest':'" DA
                                    "'}],'repository':{'repo_full_name':'library/app'}}"),
     "scanned library/app@aaaaaaaaaaaa by auto\n"},
    {"a scan that failed", "harbor", NULL, NULL, HARBOR("SCANNING_FAILED", "'digest':'" DA "'", ""),
     IGNORED},
    {"a robot named like a scanner's pushes all the same", "harbor", NULL, NULL,
     "{'type':'PUSH_ARTIFACT','operator':'robot$app+Trivy-1','event_data':{'resources':[{'digest':"
     "'" DA "'}],'repository':{'repo_full_name':'app/x'}}}",
     "push app/x@aaaaaaaaaaaa by robot$app+Trivy-1\n"},

    {"a signature", "ecr", AWS_URL, NULL,
     ECR("ECR Referrer Action",
         "'result':'SUCCESS','action-type':'PUSH'," IMAGE ",'manifest-media-type':'" OCI "'"),
     "push team/app@aaaaaaaaaaaa\n"},
    {"replicated", "ecr", AWS_URL, NULL,
     ECR("ECR Replication Action", "'result':'SUCCESS','action-type':'REPLICATE','image-tag':'v1',"
                                   "'source-region':'us-west-2'," IMAGE),
     "push team/app:v1@aaaaaaaaaaaa\n"},
    {"not replicated", "ecr", AWS_URL, NULL,
     ECR("ECR Replication Action", "'result':'FAILURE'," IMAGE), IGNORED},
    {"cached", "ecr", AWS_URL, NULL,
     ECR("ECR Pull Through Cache Action", "'sync-status':'SUCCESS','image-tag':'v1'," IMAGE),
     "push team/app:v1@aaaaaaaaaaaa\n"},
    {"not cached", "ecr", AWS_URL, NULL,
     ECR("ECR Pull Through Cache Action", "'sync-status':'FAILURE'," IMAGE), IGNORED},
    {"scanned", "ecr", AWS_URL, NULL,
     ECR("ECR Image Scan", "'scan-status':'COMPLETE','image-tags':['v1']," IMAGE),
     "scanned team/app@aaaaaaaaaaaa\n"},
    {"not scanned", "ecr", AWS_URL, NULL, ECR("ECR Image Scan", "'scan-status':'FAILED'," IMAGE),
     IGNORED},
    {"first scan of Inspector", "ecr", AWS_URL, NULL,
     BRIDGE("aws.inspector2", "Inspector2 Scan", "999999999999",
            "'scan-status':'INITIAL_SCAN_COMPLETE','repository-name':"
            "'arn:aws:ecr:eu-west-1:123456789012:repository/team/app','image-digest':'" DA "'"),
     "scanned team/app@aaaaaaaaaaaa\n"},
    {"scan of another registry", "ecr", AWS_URL, NULL,
     BRIDGE("aws.inspector2", "Inspector2 Scan", "123456789012",
            "'scan-status':'INITIAL_SCAN_COMPLETE','repository-name':"
            "'arn:aws:ecr:eu-west-1:999999999999:repository/team/app','image-digest':'" DA "'"),
     NOT_OURS("999999999999.dkr.ecr.eu-west-1.amazonaws.com")},
    {"scan of a repository without ARN", "ecr", AWS_URL, NULL,
     BRIDGE("aws.inspector2", "Inspector2 Scan", "123456789012",
            "'scan-status':'INITIAL_SCAN_COMPLETE','repository-name':'arn:aws:ecr:'"),
     "fault the event names no repository of ECR\n"},
    {"a finding of two things", "ecr", AWS_URL, NULL,
     BRIDGE("aws.inspector2", "Inspector2 Finding", "999999999999",
            "'resources':[{'details':{'awsEc2Instance':{}}},{'details':{'awsEcrContainerImage':"
            "{'registry':'123456789012','repositoryName':'team/app','imageHash':'" DA "'}}}]"),
     "scanned team/app@aaaaaaaaaaaa\nignored 1\n"},
    {"another host of the same registry", "ecr", "https://123456789012.dkr-ecr.eu-west-1.on.aws",
     NULL, ECR("ECR Image Action", "'result':'SUCCESS','action-type':'PUSH'," IMAGE),
     "push team/app@aaaaaaaaaaaa\n"},
    {"of another part of AWS", "ecr", "https://123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
     NULL,
     BRIDGE_IN("eusc-de-east-1", "aws.ecr", "ECR Image Action", "123456789012",
               "'result':'SUCCESS','action-type':'PUSH'," IMAGE),
     "push team/app@aaaaaaaaaaaa\n"},
    {"a detail type of later", "ecr", AWS_URL, NULL, ECR("ECR New Thing", ""), IGNORED},
    {"*in SNS's envelope, from a queue", "ecr", AWS_URL, NULL, SNS("Notification", SNS_ECR),
     "push team/app@aaaaaaaaaaaa\n"},
    {"*a confirmation is nothing here", "ecr", AWS_URL, NULL, SNS("SubscriptionConfirmation", "x"),
     IGNORED},

    {"a push", "sns", AWS_URL, "content-type: text/plain; charset=UTF-8",
     SNS("Notification", SNS_ECR), "push team/app@aaaaaaaaaaaa\n"},
    {"a push of another account", "sns", "https://registry.example", NULL,
     SNS("Notification", SNS_ECR), NOT_OURS("123456789012.dkr.ecr.eu-west-1.amazonaws.com")},
    {"prose", "sns", AWS_URL, NULL, SNS("Notification", "hello"),
     "fault the notification's Message: JSON, line 1, column 5: invalid token\n"},
    {"JSON of others", "sns", AWS_URL, NULL, SNS("Notification", "{}"),
     "fault the notification's Message: it is no event of the source aws.ecr\n"},
    {"subscribe", "sns", AWS_URL, NULL, SNS("SubscriptionConfirmation", "x"), "confirm 1\n"},
    {"unsubscribe", "sns", AWS_URL, NULL, SNS("UnsubscribeConfirmation", "x"), "confirm 2\n"},
    {"*raw delivery", "sns", AWS_URL, NULL,
     ECR("ECR Image Action", "'result':'SUCCESS','action-type':'PUSH'," IMAGE),
     "push team/app@aaaaaaaaaaaa\n"},

    {"pushed", "acr", AZURE_URL, NULL, ACR("push", IMAGE_V1, "acme.azurecr.io"),
     "push app:v1@aaaaaaaaaaaa\n"},
    {"deleted", "acr", AZURE_URL, NULL,
     ACR("delete", "'repository':'app','digest':'" DA "'", "ACME.azurecr.io"),
     "delete app@aaaaaaaaaaaa\n"},
    {"quarantined", "acr", AZURE_URL, NULL, ACR("quarantine", IMAGE_V1, "acme.azurecr.io"),
     "push app:v1@aaaaaaaaaaaa\n"},
    {"by another name of ours", "acr", AZURE_URL, NULL, ACR("push", IMAGE_V1, "alias.example:8443"),
     "push app:v1@aaaaaaaaaaaa\n"},
    {"by another port of that name", "acr", AZURE_URL, NULL,
     ACR("push", IMAGE_V1, "alias.example:9443"), NOT_OURS("alias.example:9443")},
    {"of another registry", "acr", AZURE_URL, NULL,
     ACR("push", IMAGE_V1, "acme.azurecr.io.evil.example"),
     NOT_OURS("acme.azurecr.io.evil.example")},
    {"a chart", "acr", AZURE_URL, NULL, ACR("chart_push", "'name':'c','version':'1'", "x"),
     IGNORED},
    {"ping", "acr", AZURE_URL, NULL, "{'id':'i','timestamp':'t','action':'ping'}", IGNORED},
    {"a digest of a wrong length", "acr", AZURE_URL, NULL,
     ACR("push", "'repository':'app','tag':'v1','digest':'sha256:abc'", "acme.azurecr.io"),
     SHORT_FAULT},
    {"no target", "acr", AZURE_URL, NULL, "{'id':'i','timestamp':'t','action':'push'}",
     "fault the event has no target\n"},

    {"own schema", "eventgrid", AZURE_URL, "aeg-event-type: Notification",
     "[" GRID(PUSHED, ACR("push", IMAGE_V1, "acme.azurecr.io")) "," GRID(
         "Microsoft.ContainerRegistry.ChartPushed", "{}") "]",
     "push app:v1@aaaaaaaaaaaa\nignored 1\n"},
    {"handshake", "eventgrid", AZURE_URL, "aeg-event-type: SubscriptionValidation",
     "[" GRID("Microsoft.EventGrid.SubscriptionValidationEvent",
              "{'validationCode':'C-1','validationUrl':'https://evil.example/'}") "]",
     "reply {\"validationResponse\":\"C-1\"}\n"},
    {"handshake with a code of two lines", "eventgrid", AZURE_URL, NULL,
     "[" GRID("Microsoft.EventGrid.SubscriptionValidationEvent", "{'validationCode':'a\\nb'}") "]",
     "fault event 0: the validation has no code\n"},
    {"one CloudEvent", "eventgrid", AZURE_URL, "content-type: application/cloudevents+json",
     CLOUD(PUSHED, "'data':" ACR("push", IMAGE_V1, "acme.azurecr.io")),
     "push app:v1@aaaaaaaaaaaa\n"},
    {"a batch", "eventgrid", AZURE_URL, "content-type: application/cloudevents-batch+json",
     "[" CLOUD(PUSHED, "'data':" ACR("push", IMAGE_V1, "acme.azurecr.io")) ",7," CLOUD(
         PUSHED, "'data':" ACR("push", IMAGE_V1, "other.azurecr.io")) "]",
     "push app:v1@aaaaaaaaaaaa\nfault event 1: it is not an object\n"
     "fault event 2: the event is of other.azurecr.io, which is not the registry \"main\"\n"},
    {"data in base64", "eventgrid", AZURE_URL, "content-type: application/cloudevents+json",
     CLOUD(PUSHED, "'data_base64':'eyJhY3Rpb24iOiJwdXNoIiwidGFyZ2V0Ijp7InJlcG9zaXRvcnkiOiJhIiwidGFn"
                   "IjoidCJ9fQ=='"),
     "push a:t\n"},
    {"data in broken base64", "eventgrid", AZURE_URL, NULL, CLOUD(PUSHED, "'data_base64':'***'"),
     "fault event 0: data_base64: this is not valid base64\n"},
    {"data twice", "eventgrid", AZURE_URL, NULL, CLOUD(PUSHED, "'data_base64':'e30=','data':{}"),
     "fault event 0: the CloudEvent has data twice\n"},
    {"binary mode", "eventgrid", AZURE_URL, "ce-type: " PUSHED "\nce-id: c",
     "{'action':'push','target':{" IMAGE_V1 "}}", "push app:v1@aaaaaaaaaaaa\n"},
    {"*of others", "eventgrid", AZURE_URL, NULL, CLOUD("com.example.thing", "'data':{}"),
     "not understood: not a notification of the dialect \"eventgrid\": it is no event of Azure "
     "Event "
     "Grid\n"},

    {"digest and tag", "gar", GOOGLE_URL, NULL,
     "{'action':'INSERT','digest':'europe-docker.pkg.dev/p/r/app@" DA
     "','tag':'europe-docker.pkg.dev/p/r/app:v1'}",
     "push p/r/app:v1@aaaaaaaaaaaa\n"},
    {"wrapped", "gar", GOOGLE_URL, NULL,
     /* {"action":"DELETE","tag":"europe-docker.pkg.dev/p/r/app:v1"} */
     PUBSUB("eyJhY3Rpb24iOiJERUxFVEUiLCJ0YWciOiJldXJvcGUtZG9ja2VyLnBrZy5kZXYvcC9yL2FwcDp2MSJ9"),
     "delete p/r/app:v1\n"},
    {"of another host", "gar", GOOGLE_URL, NULL,
     "{'action':'INSERT','digest':'us-docker.pkg.dev/p/r/app@" DA "'}",
     NOT_OURS("us-docker.pkg.dev")},
    {"two repositories", "gar", GOOGLE_URL, NULL,
     "{'action':'INSERT','digest':'europe-docker.pkg.dev/p/r/app@" DA
     "','tag':'europe-docker.pkg.dev/p/r/other:v1'}",
     "fault digest and tag are of different repositories\n"},
    {"a file", "gar", GOOGLE_URL, NULL, "{'action':'INSERT','tag':'oci:/etc:v1'}",
     "fault the event names no image in a registry\n"},
    {"no base64", "gar", GOOGLE_URL, NULL, PUBSUB("***"),
     "fault the message's data: this is not valid base64\n"},
    {"no data", "gar", GOOGLE_URL, NULL, "{'message':{'attributes':{}},'subscription':'s'}",
     "fault the message has no data\n"},

    {"by digest", "github", GITHUB_URL, "x-github-event: package",
     GITHUB("package", "published", CONTAINER,
            "'version':'" DA "','container_metadata':{'tag':{'name':'v1'}},"
            "'package_url':'ghcr.io/Acme/App:v1'",
            ""),
     "push acme/app:v1@aaaaaaaaaaaa by eve\n"},
    {"by its other name and without headers", "github", GITHUB_URL, NULL,
     GITHUB("registry_package", "updated", "ecosystem':'docker'",
            "'name':'" DA "','container_metadata':{'tag':{'name':'','digest':'sha256:abc'}}", ""),
     "push acme/app@aaaaaaaaaaaa by eve\n"},
    {"a form", "github", GITHUB_URL,
     "x-github-event: package\ncontent-type: application/x-www-form-urlencoded",
     "x=1&payload=%7B%22action%22%3A%22published%22%2C%22package%22%3A%7B%22name%22%3A%22app%22%2C"
     "%22namespace%22%3A%22Acme/src%22%2C+%22ecosystem%22%3A%22CONTAINER%22%2C%22package_version%22"
     "%3A%7B%22version%22%3A%22v1%22%7D%7D%7D",
     "push acme/app:v1\n"},
    {"a form with the field twice", "github", GITHUB_URL,
     "content-type: application/x-www-form-urlencoded", "payload={}&payload={}",
     "not understood: the body is not JSON that is accepted: the form has the field \"payload\" "
     "twice\n"},
    {"a form without the field", "github", GITHUB_URL,
     "content-type: application/x-www-form-urlencoded", "a=b",
     "not understood: the body is not JSON that is accepted: the form has no field \"payload\"\n"},
    {"a form that is badly encoded", "github", GITHUB_URL, NULL, "payload=%zz",
     "not understood: the body is not JSON that is accepted: the form's field \"payload\" is badly "
     "encoded\n"},
    {"JSON that is called a form", "github", GITHUB_URL,
     "x-github-event: ping\ncontent-type: application/x-www-form-urlencoded", "{'zen':'z'}",
     IGNORED},
    {"of another package registry", "github", GITHUB_URL, NULL,
     GITHUB("package", "published", CONTAINER,
            "'version':'v1','package_url':'docker.pkg.github.com/acme/r/app:v1'", ""),
     NOT_OURS("docker.pkg.github.com")},
    {"another kind of package", "github", GITHUB_URL, NULL,
     GITHUB("package", "published", "package_type':'npm'", "'version':'1.0.0'", ""), IGNORED},
    {"ping", "github", GITHUB_URL, NULL, "{'zen':'z','hook_id':1,'hook':{}}", IGNORED},
    {"another event", "github", GITHUB_URL, "x-github-event: push", "{'ref':'r'}", IGNORED},
    {"a digest of a wrong length", "github", GITHUB_URL, NULL,
     GITHUB("package", "published", CONTAINER, "'version':'sha256:abc'", ""), SHORT_FAULT},

    {"a tag", "gitea", NULL, "x-gitea-event: package\nx-github-event: package",
     GITEA("created", "container", "v1"), "push acme/app:v1 by eve\n"},
    {"a digest", "gitea", NULL, NULL, GITEA("created", "container", DA),
     "push acme/app@aaaaaaaaaaaa by eve\n"},
    {"deleted", "gitea", NULL, "x-gitea-event: package\nx-forgejo-event: package",
     GITEA("deleted", "container", "v1"), "delete acme/app:v1 by eve\n"},
    {"another kind of package", "gitea", NULL, NULL, GITEA("created", "npm", "1.0.0"), IGNORED},
    {"another event", "gitea", NULL, "x-gitea-event: push\nx-github-event: push", "{'ref':'r'}",
     IGNORED},
    {"a form", "gitea", NULL,
     "x-gitea-event: package\ncontent-type: application/x-www-form-urlencoded",
     "payload=%7B%22package%22%3A7%7D",
     "not understood: not a notification of the dialect \"gitea\": there is no package\n"},

    {"two tags", "quay", NULL, NULL,
     "{'name':'app','repository':'ns/app','namespace':'ns','docker_url':'quay.example/ns/app',"
     "'updated_tags':['v1','v2']}",
     "push ns/app:v1\npush ns/app:v2\n"},
    {"tags of other kinds", "quay", NULL, NULL,
     "{'repository':'ns/app','namespace':'ns','docker_url':'q','updated_tags':[7,'a b','v1']}",
     "push ns/app:v1\nfault tag 0: it is not a string\nfault the tag \"a b\" is not valid\n"},
    {"a build", "quay", NULL, NULL,
     "{'repository':'ns/app','namespace':'ns','docker_url':'q','build_id':'1'}", IGNORED},

    {"a push", "dockerhub", NULL, NULL,
     "{'callback_url':'https://evil.example/','push_data':{'pusher':'eve','tag':'v1'},"
     "'repository':{'repo_name':'acme/app'}}",
     "push acme/app:v1 by eve\n"},
    {"no tag", "dockerhub", NULL, NULL, "{'push_data':{},'repository':{'repo_name':'acme/app'}}",
     "fault the event names neither a tag nor a digest\n"},

    {"updated", "zot", NULL, ZOT("image.updated"),
     "{'name':'app','reference':'v1','digest':'" DA "','manifest':'{','actor':{'name':'eve'}}",
     "push app:v1@aaaaaaaaaaaa by eve\n"},
    {"updated by digest", "zot", NULL, ZOT("image.updated"), "{'name':'app','reference':'" DA "'}",
     "push app@aaaaaaaaaaaa\n"},
    {"a tag deleted", "zot", NULL, ZOT("image.deleted"),
     "{'name':'app','reference':'v1','digest':'" DA "'}", "delete app:v1@aaaaaaaaaaaa\n"},
    {"scanned", "zot", NULL, ZOT("image.scanned"),
     "{'name':'app','reference':'v1','digest':'" DB "'}", "scanned app@bbbbbbbbbbbb\n"},
    {"scanned without a digest", "zot", NULL, ZOT("image.scanned"),
     "{'name':'app','reference':'v1'}", "fault the event names neither a tag nor a digest\n"},
    {"lint", "zot", NULL, ZOT("image.lint_failed"), "{'name':'app'}", IGNORED},
    {"a repository", "zot", NULL, ZOT("repository.created"), "{'name':'app'}", IGNORED},
    {"structured", "zot", NULL, NULL,
     CLOUD("zotregistry.image.updated", "'data':{'name':'app','reference':'v1'}"), "push app:v1\n"},
    {"*a doubled header", "zot", NULL, ZOT("image.updated") "\nce-type: zotregistry.image.deleted",
     "{'name':'app'}",
     "not understood: not a notification of the dialect \"zot\": it is no CloudEvent of zot\n"},

    {"by path", "jfrog", "https://acme.jfrog.io", NULL,
     JFROG("docker", "pushed", "https://acme.jfrog.io/artifactory", JFROG_IMAGE),
     "push docker-local/app:v1@aaaaaaaaaaaa by jfrog/eve\n"},
    {"by host", "jfrog", "https://docker-local.rt.example", NULL,
     JFROG("docker", "promoted", "https://rt.example", JFROG_IMAGE),
     "push app:v1@aaaaaaaaaaaa by jfrog/eve\n"},
    {"by host in the cloud", "jfrog", "https://acme-docker-local.jfrog.io", NULL,
     JFROG("docker", "deleted", "https://acme.jfrog.io", JFROG_IMAGE),
     "delete app:v1@aaaaaaaaaaaa by jfrog/eve\n"},
    {"of another Artifactory", "jfrog", "https://acme.jfrog.io", NULL,
     JFROG("docker", "pushed", "https://evil.example", JFROG_IMAGE), NOT_OURS("evil.example")},
    {"pushed by digest", "jfrog", "https://acme.jfrog.io", NULL,
     JFROG("docker", "pushed", "https://acme.jfrog.io",
           "'image_name':'app','tag':'sha256__" A64 "','sha256':'" A64 "'"),
     "push docker-local/app@aaaaaaaaaaaa by jfrog/eve\n"},
    {"a hash of a wrong length", "jfrog", "https://acme.jfrog.io", NULL,
     JFROG("docker", "pushed", "https://acme.jfrog.io", "'image_name':'app','sha256':'abc'"),
     SHORT_FAULT},
    {"another domain", "jfrog", NULL, NULL, JFROG("artifact", "deployed", "x", JFROG_IMAGE),
     IGNORED},

    {"by path", "nexus", NULL, "x-nexus-webhook-id: rm:repository:component",
     NEXUS("docker-hosted", "CREATED", "'format':'docker','name':'app','version':'v1'"),
     "push docker-hosted/app:v1 by eve\n"},
    {"by port", "nexus", NULL, NULL,
     NEXUS("docker-ported", "UPDATED", "'format':'docker','name':'app','version':'v1'"),
     "push app:v1 by eve\n"},
    {"by host", "nexus", "https://docker-hosted.nexus.example", NULL,
     NEXUS("docker-hosted", "DELETED", "'format':'docker','name':'app','version':'v1'"),
     "delete app:v1 by eve\n"},
    {"another format", "nexus", NULL, NULL,
     NEXUS("npm", "CREATED", "'format':'npm','name':'app','version':'1'"), IGNORED},
    {"no version", "nexus", NULL, NULL,
     NEXUS("docker-ported", "CREATED", "'format':'docker','name':'app'"),
     "fault the event names neither a tag nor a digest\n"},

    {.name = NULL},
};
