/*
 * Kinds of secrets: passwords where programs keep them (connection strings, credential files, hashes) and, last and
 * with low confidence, whatever is assigned to a name that sounds like a secret. See secret-rule.h.
 */
#include "intel/secret-rule.h"

#define USER     "[^\\s:/@\"'<>\\\\]{0,64}"
#define PASSWORD "[^\\s:/@\"'<>\\\\]{2,128}"
#define HOST     "[A-Za-z0-9.\\[_-]"

#define URL(i, t, s, k, schemes)                                                                                       \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_HIGH, .keywords = (k),     \
                .regex = schemes "://" USER ":(" PASSWORD ")@" HOST, .check = secret_check_url_password,               \
                .flags = SECRET_PASSWORD | SECRET_LOOSE                                                                \
        }

#define CONFIG(i, t, s, c, k, r, what)                                                                                 \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_##s, .confidence = CONFIDENCE_##c, .keywords = (k),      \
                .regex = (r), .check = (what), .flags = SECRET_PASSWORD | SECRET_LOOSE | SECRET_PRIVATE                \
        }

#define HASH(i, t, k, r)                                                                                               \
        {                                                                                                              \
                .id = (i), .title = (t), .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_MEDIUM,                 \
                .keywords = (k), .regex = (r), .flags = SECRET_LOOSE | SECRET_PLAIN, .entropy = 30                     \
        }

#define NAMES                                                                                                          \
        "pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth[_-]?"   \
        "key"

static const struct secret_rule rules[] = {
        URL("postgres-url", "Password in a PostgreSQL URL", HIGH, "postgres://|postgresql://", "postgres(?:ql)?"),
        URL("mysql-url", "Password in a MySQL URL", HIGH, "mysql://|mariadb://", "(?:mysql|mariadb)"),
        URL("mongodb-url", "Password in a MongoDB URL", HIGH, "mongodb://|mongodb+srv://", "mongodb(?:\\+srv)?"),
        URL("redis-url", "Password in a Redis URL", HIGH, "redis://|rediss://", "rediss?"),
        URL("amqp-url", "Password in an AMQP URL", HIGH, "amqp://|amqps://", "amqps?"),
        URL("ldap-url", "Password in an LDAP URL", HIGH, "ldap://|ldaps://", "ldaps?"),
        URL("smtp-url", "Password in a mail URL", HIGH, "smtp://|smtps://|imaps://", "(?:smtps?|imaps)"),
        URL("ftp-url", "Password in an FTP URL", MEDIUM, "ftp://|sftp://|ftps://", "(?:ftps?|sftp)"),
        URL("nats-url", "Password in a NATS URL", HIGH, "nats://", "nats"),
        URL("clickhouse-url", "Password in a ClickHouse URL", HIGH, "clickhouse://", "clickhouse"),
        URL("mssql-url", "Password in an SQL Server URL", HIGH, "mssql://|sqlserver://", "(?:mssql|sqlserver)"),
        URL("http-url", "User and password in an URL", MEDIUM, "http://|https://", "https?"),
        CONFIG("sqlserver-connection", "Password in an SQL Server connection string", HIGH, MEDIUM,
               "Server=|Data Source=",
               "(?:Server|Data Source)=[^\\n\"']{1,200}?;\\s{0,4}(?i:password|pwd)=([^;\"'\\s]{4,128})",
               secret_check_url_password),
        CONFIG("jdbc-password", "Password in a JDBC URL", HIGH, MEDIUM, "jdbc:",
               "jdbc:[a-z]{2,20}:[^\\s\"']{1,300}?[?&;]password=([^\\s&;\"'<]{4,128})", secret_check_url_password),
        CONFIG("netrc-password", "Password in .netrc", HIGH, HIGH, "machine ",
               "machine\\s{1,8}[!-~]{1,200}\\s{1,40}login\\s{1,8}[!-~]{1,200}\\s{1,40}password\\s{1,8}(\\S{3,200})",
               secret_check_url_password),
        CONFIG("pypirc-password", "Password in .pypirc", HIGH, HIGH, "[pypi]|[testpypi]|[distutils]",
               "\\[(?:pypi|testpypi|distutils)\\][^\\[]{0,400}?\\n\\s{0,8}password\\s{0,8}[=:]\\s{0,8}([^\\s%{]{4,300}"
               ")",
               secret_check_url_password),
        CONFIG("docker-registry-auth", "Registry login in a Docker config.json", HIGH, HIGH, "\"auth\"",
               "\"auth\"\\s{0,8}:\\s{0,8}\"([A-Za-z0-9+/]{8,2000}={0,2})\"", secret_check_user_colon),
        CONFIG("maven-settings-password", "Server password in a Maven settings.xml", HIGH, HIGH, "<server>",
               "<server>(?:[^<]|<(?!/server|password)){0,600}<password>([^<\\s]{3,200})</password>",
               secret_check_url_password),
        CONFIG("nuget-config-password", "Feed password in NuGet.Config", HIGH, HIGH, "ClearTextPassword",
               "ClearTextPassword\"\\s{1,8}value=\"([^\"]{4,200})\"", secret_check_url_password),
        CONFIG("tomcat-user-password", "Password of a Tomcat user", HIGH, MEDIUM, "<user ",
               "<user (?=[^>]{0,300}roles=)[^>]{0,300}?password=\"([^\"]{3,100})\"", secret_check_url_password),
        CONFIG("kubeconfig-client-key", "Client key in a kubeconfig", CRITICAL, HIGH,
               "client-key-data:", "client-key-data:\\s{0,4}([A-Za-z0-9+/]{100,8000}={0,2})", secret_check_base64_pem),
        { .id = "kubernetes-secret",
          .title = "Value in a Kubernetes Secret",
          .severity = SEVERITY_HIGH,
          .confidence = CONFIDENCE_MEDIUM,
          .keywords = "kind: Secret",
          .regex = "kind: "
                   "Secret\\s(?:[^\\n]{0,200}\\n){0,30}?data:\\s{0,4}\\n\\s{1,8}[\\w.-]{1,80}:\\s{0,4}[\"']?([A-Za-z0-"
                   "9+/]{8,3000}={0,2})",
          .check = secret_check_base64_text,
          .flags = SECRET_PASSWORD | SECRET_LOOSE },
        CONFIG("pgpass-password", "Password in .pgpass", HIGH, MEDIUM,
               ":5432:", ":5432:[^:\\s]{1,64}:[^:\\s]{1,64}:([^:\\s]{3,128})(?=\\s|\\z)", secret_check_url_password),
        CONFIG("mysql-client-password", "Password in a MySQL option file", HIGH, HIGH, "[client]|[mysql]|[mysqldump]",
               "\\[(?:client|mysql|mysqldump)\\][^\\[]{0,400}?\\n\\s{0,4}password\\s{0,4}=\\s{0,4}[\"']?([^\\s\"']{3,"
               "128})",
               secret_check_url_password),
        CONFIG("filezilla-password", "Password in a FileZilla site", HIGH, HIGH, "<Pass encoding=\"base64\">",
               "<Pass encoding=\"base64\">([A-Za-z0-9+/]{4,200}={0,2})</Pass>", secret_check_base64_text),
        CONFIG("git-remote-password", "Password of a git remote", HIGH, HIGH, "url = http",
               "url = https?://" USER ":(" PASSWORD ")@" HOST, secret_check_url_password),
        CONFIG("curl-user", "Password on a curl command line", MEDIUM, MEDIUM, "curl ",
               "curl (?:[^\\n|;]{0,200}? )?(?:-u|--user)[ =][\"']?[A-Za-z0-9._@-]{1,64}:([^\\s\"'@:]{4,128})",
               secret_check_url_password),
        CONFIG("sshpass-password", "Password on an sshpass command line", HIGH, HIGH, "sshpass ",
               "sshpass -p ?[\"']?([^\\s\"']{3,128})", secret_check_url_password),
        CONFIG("mysql-command-password", "Password on a mysql command line", HIGH, MEDIUM, "mysql ",
               "mysql (?:-[A-Za-z-]{1,20}[= ]?[\\w.-]{0,64} ){0,6}(?:-p|--password=)[\"']?([^\\s\"'-][^\\s\"']{3,64})",
               secret_check_url_password),
        CONFIG("wordpress-db-password", "Database password in wp-config.php", HIGH, HIGH, "DB_PASSWORD'",
               "DB_PASSWORD'\\s{0,4},\\s{0,4}'([^'\\n]{3,128})'", secret_check_url_password),
        CONFIG("wordpress-salt", "Authentication key in wp-config.php", MEDIUM, HIGH, "_KEY'|_SALT'",
               "_(?:KEY|SALT)'\\s{0,8},\\s{0,24}'([^'\\n]{60,70})'", secret_check_url_password),
        CONFIG("wifi-passphrase", "Wi-Fi passphrase", MEDIUM, HIGH,
               "psk=", "psk=(?:\"([^\"\\n]{8,63})\"|([0-9a-f]{64}))", secret_check_url_password),
        CONFIG("ansible-password", "Ansible connection password", HIGH, MEDIUM,
               "ansible_ssh_pass|ansible_password|ansible_become_pass",
               "ansible_(?:ssh_pass|password|become_pass)(?:word)?\\s{0,4}[=:]\\s{0,4}[\"']?([^\\s\"'{]{3,128})",
               secret_check_url_password),
        { .id = "laravel-app-key",
          .title = "Laravel application key",
          .severity = SEVERITY_HIGH,
          .confidence = CONFIDENCE_HIGH,
          .keywords = "APP_KEY=base64:",
          .regex = "APP_KEY=base64:(" S_B64 "{43}=)",
          .check = secret_check_base64_32,
          .flags = SECRET_LOOSE,
          .entropy = 35 },
        { .id = "rails-secret-key-base",
          .title = "Rails secret_key_base",
          .severity = SEVERITY_HIGH,
          .confidence = CONFIDENCE_HIGH,
          .keywords = "secret_key_base",
          .regex = "(?i:secret_key_base)" SECRET_ASSIGNED "(" S_HEX "{128})",
          .flags = SECRET_NEAR,
          .entropy = 35 },
        { .id = "rails-master-key",
          .title = "Rails master key",
          .severity = SEVERITY_HIGH,
          .confidence = CONFIDENCE_HIGH,
          .keywords = "rails_master_key",
          .regex = "(?i:rails_master_key)" SECRET_ASSIGNED "(" S_HEX "{32})",
          .flags = SECRET_NEAR,
          .entropy = 28 },
        { .id = "django-secret-key",
          .title = "Django SECRET_KEY",
          .severity = SEVERITY_MEDIUM,
          .confidence = CONFIDENCE_HIGH,
          .keywords = "SECRET_KEY",
          .regex = "SECRET_KEY\\s{0,4}=\\s{0,4}[\"']((?:django-insecure-)?[a-z0-9!@#$%^&*(_=+)-]{50})[\"']",
          .flags = SECRET_LOOSE,
          .entropy = 35 },
        HASH("shadow-sha512", "SHA-512 password hash", "$6$",
             "\\$6\\$(?:rounds=[0-9]{1,9}\\$)?[./0-9A-Za-z]{1,16}\\$[./0-9A-Za-z]{86}"),
        HASH("shadow-sha256", "SHA-256 password hash", "$5$",
             "\\$5\\$(?:rounds=[0-9]{1,9}\\$)?[./0-9A-Za-z]{1,16}\\$[./0-9A-Za-z]{43}"),
        HASH("shadow-yescrypt", "yescrypt password hash", "$y$",
             "\\$y\\$[./0-9A-Za-z]{1,6}\\$[./0-9A-Za-z]{1,86}\\$[./0-9A-Za-z]{43}"),
        HASH("shadow-md5", "MD5 password hash", "$1$", "\\$1\\$[./0-9A-Za-z]{1,8}\\$[./0-9A-Za-z]{22}"),
        HASH("htpasswd-apr1", "Apache MD5 password hash", "$apr1$", "\\$apr1\\$[./0-9A-Za-z]{1,8}\\$[./0-9A-Za-z]{22}"),
        HASH("bcrypt-hash", "bcrypt password hash", "$2a$|$2b$|$2y$", "\\$2[aby]\\$[0-3][0-9]\\$[./0-9A-Za-z]{53}"),
        HASH("argon2-hash", "Argon2 password hash", "$argon2",
             "\\$argon2(?:id|i|d)\\$v=[0-9]{1,3}\\$m=[0-9]{1,9},t=[0-9]{1,5},p=[0-9]{1,5}\\$[A-Za-z0-9+/"
             "]{11,64}\\$[A-Za-z0-9+/]{16,100}"),
        /* quoted, and long enough for a key */
        { .id = "generic-secret",
          .title = "Value of a name that sounds secret",
          .severity = SEVERITY_MEDIUM,
          .confidence = CONFIDENCE_LOW,
          .keywords = "secret|token|apikey|api_key|api-key|access_key|accesskey|private_key|auth_key|credential",
          .regex = "(?i:" NAMES
                   ")[\\w.-]{0,24}[\"'\\]]{0,2}\\s{0,4}(?:=>|:=|=|:)\\s{0,4}[\"'`]([A-Za-z0-9+/=_.~-]{16,150})[\"'`]",
          .check = secret_check_assigned,
          .flags = SECRET_NEAR | SECRET_LOOSE,
          .entropy = 33 },
        /* VARIABLE=value in files of settings, unquoted */
        { .id = "properties-password",
          .title = "Password in a file of properties",
          .severity = SEVERITY_MEDIUM,
          .confidence = CONFIDENCE_LOW,
          .keywords = ".password=|.passwd=|.passphrase=|.secret=|_password=|.password =|.secret =",
          .regex = "[._](?:password|passwd|passphrase|secret) ?= "
                   "?([^\\s\"'`$<>(){}\\[\\],;|&%\\\\\\x00]{6,100})(?=\\s|\\z)",
          .check = secret_check_assigned,
          .flags = SECRET_LOOSE | SECRET_PASSWORD,
          .entropy = 25 },
        { .id = "generic-variable",
          .title = "Variable that sounds secret",
          .severity = SEVERITY_MEDIUM,
          .confidence = CONFIDENCE_LOW,
          .keywords = "SECRET|TOKEN|API_KEY|APIKEY|ACCESS_KEY|PASSWORD|PASSWD|PASSPHRASE",
          .regex = "(?:SECRET|TOKEN|API_?KEY|ACCESS_KEY|PASSWORD|PASSWD|PASSPHRASE)[A-Z0-9_]{0,24}=([^\\s\"'`$<>(){}\\["
                   "\\],;|&%\\\\\\x00]{6,150})(?=\\s|\\z|\\x00)",
          .check = secret_check_assigned,
          .flags = SECRET_LOOSE | SECRET_PASSWORD,
          .entropy = 25 },
        { .id = "generic-password",
          .title = "Password in a setting",
          .severity = SEVERITY_MEDIUM,
          .confidence = CONFIDENCE_LOW,
          .keywords = "passw|passphrase|pwd",
          .regex = "(?i:passwo?r?d|passphrase|pwd)[\\w.-]{0,16}[\"'\\]]{0,2}\\s{0,4}(?:=>|:=|=|:)\\s{0,4}[\"']([^\"'"
                   "\\s$<>{}()%\\\\,;\\x00]{6,100})[\"']",
          .check = secret_check_assigned,
          .flags = SECRET_NEAR | SECRET_LOOSE | SECRET_PASSWORD,
          .entropy = 25 },
};

const struct secret_table secret_rules_files = { rules, ARRAY_SIZE(rules) };
