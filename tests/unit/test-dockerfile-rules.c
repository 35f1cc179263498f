/* Every rule about Dockerfiles: a file that it must find, and near misses that it must not. */
#include "analyze/check.h"

#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct checker checker_dockerfile;

struct found {
        struct sink sink; /* first: put casts back */
        struct arena arena;
        VEC(struct fact_check) checks;
        VEC(struct fact_edit) edits;
        size_t n_unread;
};

static void found_put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct found *f = (struct found *)s;
        if (kind == FACT_check)
                fact_copy(kind, &f->arena, fact, vec_push(&f->checks));
        else if (kind == FACT_edit)
                fact_copy(kind, &f->arena, fact, vec_push(&f->edits));
        else
                f->n_unread++;
}

/* The strictest settings: all quiet rules, one registry, labels of every type. */
static struct found check_text(const char *text)
{
        static struct str all[] = { { "all", 3 } }, registries[] = { { "docker.io", 9 } };
        struct str labels[] = { STR("version:semver"), STR("revision:hash"), STR("contact:email") };
        struct check_settings s = { .enabled = { all, 1 }, .registries = { registries, 1 }, .labels = { labels, 3 } };
        assert_true(date_parse(STR("2026-11-20"), &s.today));
        s.strict_labels = strstr(text, "# strict") != NULL;
        struct found f = { .sink = { found_put } };
        struct check_file file = { STR("Dockerfile"), str_of(text) };
        checker_dockerfile.run(&file, 1, &s, &f.sink);
        return f;
}

static void found_done(struct found *f)
{
        vec_done(&f->checks);
        vec_done(&f->edits);
        arena_done(&f->arena);
}

static size_t count(const struct found *f, const char *id)
{
        size_t n = 0;
        for (size_t i = 0; i < f->checks.n; i++)
                n += str_is(f->checks.v[i].id, id) && !f->checks.v[i].waived;
        return n;
}

static const struct {
        const char *id, *hit, *miss;
} cases[] = {
        { "SK-DOCKER-100", "FROM a:1\nFOO bar\n", "FROM a:1\nrun true\n" },
        { "SK-DOCKER-100", "FROM a:1\nRUN cat <<EOF\nx\n", "FROM a:1\nRUN cat <<EOF\nx\nEOF\n" },
        { "SK-DOCKER-100", "# nothing\n", "FROM a:1\nRUN cat << EOF\n" },
        { "DL1001", "# hadolint ignore=DL3006\nFROM a\n", "# sekisho:ignore DL3006 because\nFROM a\n" },
        { "DL3000", "FROM a:1\nWORKDIR app\n",
          "FROM a:1\nWORKDIR /app\nWORKDIR \"/b\"\nWORKDIR $HOME/x\nWORKDIR c:\\x\n" },
        { "DL3001", "FROM a:1\nRUN service x start\n",
          "FROM a:1\nRUN echo service mount\nRUN apt-get install mount\n" },
        { "DL3002", "FROM a:1\nUSER x\nUSER root\n", "FROM a:1\nUSER root\nUSER 1\n" },
        { "DL3002", "FROM a:1\nUSER 0:0\n", "FROM a:1 AS b\nUSER root\nFROM c:1\nUSER 10\n" },
        { "DL3002", "FROM a:1 AS b\nUSER root\nFROM b\n", "FROM a:1\nUSER rootless\n" },
        { "DL3003", "FROM a:1\nRUN cd /x && make\n", "FROM a:1\nRUN make && cd /x\nRUN echo cd\nRUN (true; cd x)\n" },
        { "DL3004", "FROM a:1\nRUN sudo make\n", "FROM a:1\nRUN echo sudo make\nRUN apt-get install sudo\n" },
        { "DL3006", "FROM debian\n", "FROM debian:12 AS x\nFROM x\nFROM scratch\nFROM a@sha256:1\nARG I\nFROM $I\n" },
        { "DL3006", "FROM reg:5000/debian\n", "ARG TAG=1\nARG V\nFROM debian:${TAG}\nFROM x:${V}\n" },
        { "DL3006", "ARG D=debian\nFROM $D\n", "ARG D=debian:12\nFROM $D\n" },
        { "DL3007", "FROM debian:latest\n", "FROM debian:latest@sha256:1\nFROM debian:12-latest\n" },
        { "DL3008", "FROM a:1\nRUN apt-get update && apt-get install -y -t sid curl\nRUN apt-get install -y x\n",
          "FROM a:1\nRUN apt-get install -y x=1 ./y.deb z/sid $PACKAGES && apt-get install -y -o A=b x=2\n" },
        { "DL3009", "FROM a:1\nRUN apt-get update && apt-get install -y x\n",
          "FROM a:1\nRUN apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*\n"
          "RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y y\n"
          "RUN apt-get update && apt-get install x && apt-get dist-clean\n" },
        { "DL3009", "FROM a:1\nRUN rm -rf /var/lib/apt/lists/* && apt-get update\n",
          "FROM a:1 AS build\nRUN apt-get update && apt-get install -y x\nFROM b:1\n" },
        { "DL3010", "FROM a:1\nCOPY x.tar.gz /\nRUN tar xzf /x.tar.gz\n",
          "FROM a:1\nCOPY x.tar.gz /\nRUN tar czf /y.tar.gz /x\n" },
        { "DL3011", "FROM a:1\nEXPOSE 65536\n", "FROM a:1\nEXPOSE 65535 80/tcp 8000-8010/udp $PORT\n" },
        { "DL3012", "FROM a:1\nHEALTHCHECK NONE\nHEALTHCHECK CMD true\n",
          "FROM a:1\nHEALTHCHECK CMD true\nFROM b:1\nHEALTHCHECK CMD true\n" },
        { "DL3013", "FROM a:1\nRUN pip3 install flask\n",
          "FROM a:1\nRUN pip install 'flask==1' -r r.txt && pip install . && pip install -r r.txt x && pip install "
          "\"a>=1\"\n"
          "RUN pip install git+https://x/y.git@v1 && pip download x && pip install --upgrade pip==1\n" },
        { "DL3013", "FROM a:1\nRUN python3 -m pip install flask\n",
          "FROM a:1\nRUN python3 -m venv x && python3 pip install y\n" },
        { "DL3014", "FROM a:1\nRUN apt-get install x\n",
          "FROM a:1\nRUN apt-get -y install x && apt-get install -qqy x && apt-get install --assume-yes x && apt-get "
          "-qq install x && apt-get -q install -q x\n" },
        { "DL3015", "FROM a:1\nRUN apt-get install -y x\n",
          "FROM a:1\nRUN apt-get install -y --no-install-recommends x && apt-get -o APT::Install-Recommends=0 install "
          "x\n" },
        { "DL3016", "FROM a:1\nRUN npm install -g yarn\n",
          "FROM a:1\nRUN npm install && npm ci && npm install a@1 @b/c@2 ./d && npm install --prefix /x\n" },
        { "DL3016", "FROM a:1\nRUN npm i @b/c\n", "FROM a:1\nRUN npm run install x\n" },
        { "DL3018", "FROM a:1\nRUN apk add --virtual .x gcc\n",
          "FROM a:1\nRUN apk add --no-cache --virtual .x gcc=1 curl~2 && apk del x\n" },
        { "DL3019", "FROM a:1\nRUN apk add x=1\n",
          "FROM a:1\nRUN apk add --no-cache x=1\nRUN --mount=type=cache,target=/var/cache/apk apk add x=1\n" },
        { "DL3020", "FROM a:1\nADD x.py /\n", "FROM a:1\nADD x.tar.gz /\nADD https://a/b /\nADD $X /\nCOPY x.py /\n" },
        { "DL3021", "FROM a:1\nCOPY a b /c\n",
          "FROM a:1\nCOPY a b /c/\nCOPY a b .\nCOPY a b $DIR\nCOPY [\"a b\", \"/c\"]\n" },
        { "DL3022", "FROM a:1\nCOPY --from=biuld /a /b\n",
          "FROM a:1 AS build\nFROM b:1\nCOPY --from=Build /a /b\nCOPY --from=0 /a /b\nCOPY --from=x/y:1 /a /b\n" },
        { "DL3023", "FROM a:1 AS b\nCOPY --from=b /x /y\n", "FROM a:1 AS b\nFROM c:1 AS d\nCOPY --from=b /x /y\n" },
        { "DL3024", "FROM a:1 AS b\nFROM c:1 AS B\n", "FROM a:1 AS b\nFROM c:1 AS d\n" },
        { "DL3025", "FROM a:1\nCMD x y\n", "FROM a:1\nCMD [\"x\", \"y\"]\nENTRYPOINT []\n" },
        { "DL3025", "FROM a:1\nENTRYPOINT ['x']\n", "FROM a:1\nRUN x\nHEALTHCHECK CMD x\n" },
        { "DL3026", "FROM quay.io/a:1\n", "FROM a:1\nFROM docker.io/library/b:1\nFROM scratch\n" },
        { "DL3027", "FROM a:1\nRUN apt update\n", "FROM a:1\nRUN apt-get update; apt-cache show x; echo apt\n" },
        { "DL3028", "FROM a:1\nRUN gem install x\n",
          "FROM a:1\nRUN gem install x:1 && gem install x -v 1 && gem install ./y.gem\n" },
        { "DL3029", "FROM --platform=linux/amd64 a:1\n", "FROM --platform=$BUILDPLATFORM a:1\nFROM b:1\n" },
        { "DL3030", "FROM a:1\nRUN yum install x-1\n",
          "FROM a:1\nRUN yum install -y x-1 && yum -y install x-1 && yum list x\n" },
        { "DL3032", "FROM a:1\nRUN yum install -y x-1\n",
          "FROM a:1\nRUN yum install -y x-1 && yum clean all\nRUN yum install -y y-1 && rm -rf /var/cache/yum/*\n" },
        { "DL3033", "FROM a:1\nRUN yum install -y vim-enhanced\n",
          "FROM a:1\nRUN yum install -y x-1.2 https://a/b.rpm @group ./c.rpm\n" },
        { "DL3034", "FROM a:1\nRUN zypper install x=1\n",
          "FROM a:1\nRUN zypper -n install x=1 && zypper install -y x=1 && zypper search x\n" },
        { "DL3035", "FROM a:1\nRUN zypper -n dup\n", "FROM a:1\nRUN zypper -n update\n" },
        { "DL3036", "FROM a:1\nRUN zypper -n in x=1\n", "FROM a:1\nRUN zypper -n in x=1 && zypper clean -a\n" },
        { "DL3037", "FROM a:1\nRUN zypper -n in x\n", "FROM a:1\nRUN zypper -n in x=1 'y>2' && zypper -n rm x\n" },
        { "DL3038", "FROM a:1\nRUN dnf install x-1\n",
          "FROM a:1\nRUN microdnf install -y x-1 && dnf --assumeyes install y-1\n" },
        { "DL3040", "FROM a:1\nRUN microdnf install -y x-1\n", "FROM a:1\nRUN dnf install -y x-1 && dnf clean all\n" },
        { "DL3041", "FROM a:1\nRUN dnf install -y x\n",
          "FROM a:1\nRUN dnf install -y x-1 && dnf module install -y x:2\n" },
        { "DL3042", "FROM a:1\nRUN pip install x==1\n",
          "FROM a:1\nRUN pip install --no-cache-dir x==1\nRUN --mount=type=cache,target=/root/.cache/pip pip install "
          "x==1\n"
          "RUN PIP_NO_CACHE_DIR=1 pip install x==1\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x==1\n" },
        { "DL3043", "FROM a:1\nONBUILD FROM b\n", "FROM a:1\nONBUILD RUN x\n" },
        { "DL3043", "FROM a:1\nONBUILD ONBUILD RUN x\n", "FROM a:1\nRUN echo ONBUILD ONBUILD\n" },
        { "DL3044", "FROM a:1\nENV A=1 B=${A}x\n",
          "FROM a:1\nENV A=1 B='$A' C=\\$A\nENV P=/x:$P\nARG D=1\nENV D=2 E=$D\nENV AB=1 X=$A\n" },
        { "DL3045", "FROM a:1\nCOPY x y\n", "FROM a:1\nWORKDIR /w\nCOPY x y\nFROM b:1\nCOPY x /y\nCOPY x $Z/y\n" },
        { "DL3045", "FROM a:1 AS b\nWORKDIR /\nFROM c:1\nCOPY x .\n", "FROM a:1 AS b\nWORKDIR /\nFROM b\nCOPY x .\n" },
        { "DL3046", "FROM a:1\nRUN useradd -u 123456 x\n",
          "FROM a:1\nRUN useradd -l -u 123456 x && useradd -u 12345 y\n" },
        { "DL3047", "FROM a:1\nRUN wget https://x/y\n",
          "FROM a:1\nRUN wget -q https://x/y && wget --progress=dot:giga https://x/y && wget -nv -O- https://x && wget "
          "-qO- https://x\n" },
        { "DL3048", "FROM a:1\nLABEL +x=1\n", "FROM a:1\nLABEL a.b-c=1 \"org.x.y\"=2 version=1.0.0\n" },
        { "DL3048", "FROM a:1\nLABEL com.docker.x=1\n", "FROM a:1\nLABEL example.com/x=1\n" },
        { "DL3049", "FROM a:1\nLABEL version=1.0.0 contact=a@b\n",
          "FROM a:1\nLABEL version=1.0.0 contact=a@b revision=1234567\n" },
        { "DL3050", "# strict\nFROM a:1\nLABEL x=1\n", "FROM a:1\nLABEL x=1\n" },
        { "DL3051", "FROM a:1\nLABEL x=\"\"\n", "FROM a:1\nLABEL x=1\n" },
        { "DL3052", "FROM a:1\nLABEL org.opencontainers.image.url=here\n",
          "FROM a:1\nARG U\nLABEL org.opencontainers.image.url=$U org.opencontainers.image.source=https://a/b "
          "x=here\n" },
        { "DL3053", "FROM a:1\nLABEL org.opencontainers.image.created=yesterday\n",
          "FROM a:1\nLABEL org.opencontainers.image.created=2026-01-02T03:04:05Z\n" },
        { "DL3054", "FROM a:1\nLABEL org.opencontainers.image.licenses=\"Apache 2\"\n",
          "FROM a:1\nLABEL org.opencontainers.image.licenses=\"(MIT OR GPL-2.0-only WITH Classpath-exception-2.0) AND "
          "Apache-2.0\"\n" },
        { "DL3055", "FROM a:1\nLABEL revision=main\n", "FROM a:1\nLABEL revision=0123abc\n" },
        { "DL3056", "FROM a:1\nLABEL version=1.0\n", "FROM a:1\nLABEL version=1.0.0-rc.1+x\n" },
        { "DL3057", "FROM a:1\n", "FROM a:1 AS b\nHEALTHCHECK CMD x\nFROM b\n" },
        { "DL3058", "FROM a:1\nLABEL contact=me\n", "FROM a:1\nLABEL contact=me@example.org\n" },
        { "DL3059", "FROM a:1\nRUN a\nRUN b\n", "FROM a:1\nRUN a\n\n# another thing\nRUN b\nRUN --network=none c\n" },
        { "DL3060", "FROM a:1\nRUN yarn install\n",
          "FROM a:1\nRUN yarn install && yarn cache clean\nRUN --mount=type=cache,target=/usr/local/share/.cache/yarn "
          "yarn install\n" },
        { "DL3061", "RUN x\nFROM a:1\n", "# x\n\nARG A=1\nFROM a:1\n" },
        { "DL3062", "FROM a:1\nRUN go install example.org/x\n",
          "FROM a:1\nRUN go install ./... && go install example.org/x@v1.2 && go build x\n" },
        { "DL3063", "FROM a:1 AS scratch\n", "FROM a:1 AS from-scratch\nFROM scratch\n" },
        { "DL3064", "FROM a:1\nARG NPM_TOKEN\n",
          "FROM a:1\nARG TOKEN_TTL=5 USERNAME=x\nENV PASSWORD_FILE=/run/secrets/x PUBLIC_KEY=y PASSENGER=z\n" },
        { "DL3064", "FROM a:1\nENV dbPassword=x\n", "FROM a:1\nENV MYSQL_ALLOW_EMPTY_PASSWORD=yes DB_PASSWORD=\"\"\n" },
        { "DL3065", "FROM --platform=$TARGETPLATFORM a:1\n", "FROM --platform=$BUILDPLATFORM a:1\n" },
        { "DL3066", "FROM a:1\nUSER app\n", "FROM a:1\nUSER 10:app\nFROM b:1\nUSER $UID\n" },
        { "DL3067", "FROM a:1 AS b\nFROM c:1\nCOPY --from=b / /\n",
          "FROM a:1 AS b\nFROM c:1\nCOPY --from=b /app /\nCOPY . /\n" },
        { "DL4000", "FROM a:1\nMAINTAINER me\n", "FROM a:1\nLABEL maintainer=me\n" },
        { "DL4001", "FROM a:1\nRUN curl https://a\nRUN wget -q https://b\n",
          "FROM a:1\nRUN curl https://a\nFROM b:1\nRUN wget -q https://b\n" },
        { "DL4003", "FROM a:1\nCMD [\"a\"]\nCMD [\"b\"]\n", "FROM a:1\nCMD [\"a\"]\nFROM b:1\nCMD [\"b\"]\n" },
        { "DL4004", "FROM a:1\nENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]\n",
          "FROM a:1\nENTRYPOINT [\"a\"]\nCMD [\"b\"]\n" },
        { "DL4005", "FROM a:1\nRUN ln -sf /bin/bash /bin/sh\n",
          "FROM a:1\nSHELL [\"/bin/bash\", \"-c\"]\nRUN ln -s /bin/sh /x\n" },
        { "DL4006", "FROM a:1\nRUN a | b\n",
          "FROM a:1\nRUN set -o pipefail; a | b\nRUN a || b\nRUN echo 'a | b'\nSHELL [\"/bin/bash\", \"-eo\", "
          "\"pipefail\", \"-c\"]\nRUN a | b\n" },
        { "DL4006", "FROM a:1\nRUN [\"/bin/bash\", \"-c\", \"a | b\"]\n",
          "FROM a:1\nSHELL [\"pwsh\", \"-Command\"]\nRUN a | b\nFROM b:1\nRUN <<EOF\nset -euxo pipefail\na | "
          "b\nEOF\n" },
        { "SK-DOCKER-101", "FROM a:1\nRUN x\n", "FROM a:1 AS b\nUSER 1\nFROM b\nCMD [\"x\"]\n" },
        { "SK-DOCKER-101", "FROM a:1 AS b\nUSER 1\nFROM c:1\n", "FROM gcr.io/distroless/static:nonroot\n" },
        { "SK-DOCKER-102", "FROM debian:12\n", "FROM debian:12@sha256:1\nFROM scratch\n" },
        { "SK-DOCKER-103", "FROM a:1\nRUN git clone https://u:p4ss@example.org/x\n",
          "FROM a:1\nRUN git clone https://u:$T@example.org/x && curl https://a:80/b@c:d\nRUN git clone "
          "ssh://git@x/y\n" },
        { "SK-DOCKER-104", "FROM a:1\nCOPY .env /app/\n",
          "FROM a:1\nCOPY .env.example id_rsa.pub /app/\nCOPY --from=x:1 /root/.ssh /x\n" },
        { "SK-DOCKER-104", "FROM a:1\nADD keys/id_rsa /root/\n",
          "FROM a:1\nCOPY ca.pem config.json .npmrc.tpl /app/\n" },
        { "SK-DOCKER-105", "FROM a:1\nRUN curl -fsSL https://x | sh -s -- -y\n",
          "FROM a:1\nRUN curl https://x | tar xz && curl -o x https://y && sh x\nRUN curl https://x | python3 -m "
          "json.tool\n" },
        { "SK-DOCKER-105", "FROM a:1\nRUN wget -qO- https://x | gunzip | bash\n",
          "FROM a:1\nRUN echo $(curl https://x) && cat x | sh\n" },
        { "SK-DOCKER-105", "FROM a:1\nRUN bash -c \"$(curl https://x)\"\n",
          "FROM a:1\nRUN bash -c \"curl https://x\"\n" },
        { "SK-DOCKER-105", "FROM a:1\nRUN bash <(curl https://x)\n", "FROM a:1\nRUN diff <(curl https://x) y\n" },
        { "SK-DOCKER-106", "FROM a:1\nADD https://x/y /z\n",
          "FROM a:1\nADD --checksum=sha256:1 https://x/y /z\nADD "
          "https://x/y.git#0123456789012345678901234567890123456789 /z\n" },
        { "SK-DOCKER-107", "FROM a:1\nRUN curl -fsSkL https://x\n",
          "FROM a:1\nRUN curl -fsSL --cacert k https://x && tar -k x\n" },
        { "SK-DOCKER-107", "FROM a:1\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\n",
          "FROM a:1\nENV NODE_TLS_REJECT_UNAUTHORIZED=1\n" },
        { "SK-DOCKER-107", "FROM a:1\nRUN git config --global http.sslVerify false\n",
          "FROM a:1\nRUN git config --global http.sslVerify true\n" },
        { "SK-DOCKER-108", "FROM a:1\nRUN apk add --allow-untrusted ./x.apk\n", "FROM a:1\nRUN apk add ./x.apk\n" },
        { "SK-DOCKER-108", "FROM a:1\nRUN echo 'deb [trusted=yes] http://x y z' > /etc/apt/x\n",
          "FROM a:1\nRUN echo 'deb [signed-by=/k] http://x y z' > /etc/apt/x\n" },
        { "SK-DOCKER-109", "FROM a:1\nRUN chmod -R 777 /x\n",
          "FROM a:1\nRUN chmod 1777 /tmp && chmod 775 /x && chmod g+w /y && chmod +x /z\n" },
        { "SK-DOCKER-109", "FROM a:1\nCOPY --chmod=0666 x /y\n", "FROM a:1\nCOPY --chmod=0644 x /y\n" },
        { "SK-DOCKER-110", "FROM a:1\nRUN chmod u+s /x\n", "FROM a:1\nRUN chmod u-s /x && chmod 0755 /y\n" },
        { "SK-DOCKER-110", "FROM a:1\nCOPY --chmod=4755 x /y\n", "FROM a:1\nCOPY --chmod=755 x /y\n" },
        { "SK-DOCKER-111", "FROM a:1\nRUN apt-get install -y x\n",
          "FROM a:1\nRUN echo deb https://snapshot.debian.org/x > y && apt-get install -y x\n" },
        { "SK-DOCKER-112", "FROM a:1\nRUN apt-get install -y sudo\n",
          "FROM a:1 AS b\nRUN apt-get install -y sudo\nFROM c:1\nRUN apk add sudoku\n" },
        { "SK-DOCKER-113", "FROM a:1\nRUN apk add openssh-server\n", "FROM a:1\nRUN apk add openssh-client\n" },
        { "SK-DOCKER-114", "FROM a:1\nRUN --security=insecure x\n", "FROM a:1\nRUN --security=sandbox x\n" },
        { "SK-DOCKER-115", "FROM a:1\nRUN --network=host x\n", "FROM a:1\nRUN --network=none x\n" },
        { "SK-DOCKER-116", "FROM a:1\nVOLUME /var/run/docker.sock\n", "FROM a:1\nVOLUME /var/run/docker\n" },
        { "SK-DOCKER-117", "FROM a:1\nEXPOSE 20-25\n", "FROM a:1\nEXPOSE 80 443/tcp 8080-8090\n" },
        { "SK-DOCKER-118", "FROM a:1\nRUN apt-get update\n",
          "FROM a:1\nRUN apt-get update && apt-get install -y x=1\n" },
        { "SK-DOCKER-121", "FROM a:1\nRUN curl http://x/y\n",
          "FROM a:1\nRUN curl https://x && curl http://localhost:80\nRUN curl -O http://x/y && sha256sum -c y.sum\n" },
        { "SK-DOCKER-123", "FROM a:1\nRUN echo root:x | chpasswd\n", "FROM a:1\nRUN passwd -l root && useradd -m x\n" },
};

static void test_cases(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct found f = check_text(cases[i].hit);
                if (!count(&f, cases[i].id))
                        fail_msg("%s does not find: %s", cases[i].id, cases[i].hit);
                found_done(&f);
                f = check_text(cases[i].miss);
                for (size_t k = 0; k < f.checks.n; k++)
                        if (str_is(f.checks.v[k].id, cases[i].id))
                                fail_msg("%s is wrong about line %u (%.*s): %s", cases[i].id,
                                         (unsigned)f.checks.v[k].line, STR_FMT(f.checks.v[k].detail), cases[i].miss);
                found_done(&f);
        }
}

static void test_every_rule_has_a_case(void **state)
{
        const struct check *c;
        size_t n_hadolint = 0;
        for (size_t i = 0; (c = checker_dockerfile.check(i)); i++) {
                bool has_case = false;
                for (size_t k = 0; k < ARRAY_SIZE(cases); k++)
                        has_case |= strcmp(cases[k].id, c->id) == 0;
                if (!has_case)
                        fail_msg("%s has no case", c->id);
                n_hadolint += c->id[0] == 'D';
                assert_true(strlen(c->title) > 5 && strlen(c->why) > 5 && strlen(c->fix) > 2);
                assert_true(c->severity >= SEVERITY_LOW && c->title[strlen(c->title) - 1] != '.');
                assert_ptr_equal(check_find(str_of(c->id)), c);
        }
        assert_int_equal(n_hadolint, 71);
}

/* Places are exact: of the word that is wrong, in a line that was joined from several. */
static void test_places(void **state)
{
        struct found f = check_text(
                "FROM a:1\nRUN true && \\\n  # x\n\n\tA=\xc3\xa4 chmod  777 /x\nRUN <<E\n\nchmod 666 x\nE\n");
        size_t n = 0;
        for (size_t i = 0; i < f.checks.n; i++) {
                const struct fact_check *c = &f.checks.v[i];
                if (!str_is(c->id, "SK-DOCKER-109"))
                        continue;
                assert_int_equal(c->line, n ? 8 : 5);
                assert_int_equal(c->column, n ? 7 : 13);
                assert_int_equal(c->end_line, n ? 9 : 5);
                n++;
        }
        assert_int_equal(n, 2);
        found_done(&f);
}

static const struct fact_check *the(const struct found *f, const char *id)
{
        for (size_t i = 0; i < f->checks.n; i++)
                if (str_is(f->checks.v[i].id, id))
                        return &f->checks.v[i];
        return NULL;
}

static void test_ignores(void **state)
{
        struct found f =
                check_text("# sekisho:ignore SK-DOCKER-006,DL3057 the base is ours until=2027-01-31\nFROM debian\n");
        const struct fact_check *c = the(&f, "DL3006");
        assert_true(c && c->waived && c->waived_line == 1 && str_is(c->reason, "the base is ours") && c->until);
        assert_true(the(&f, "DL3057")->waived);
        assert_null(the(&f, "SK-CHECK-002"));
        found_done(&f);

        f = check_text("# sekisho:ignore DL3006 soon until=2026-11-19\nFROM debian\n");
        assert_false(the(&f, "DL3006")->waived);
        assert_non_null(the(&f, "SK-CHECK-001"));
        found_done(&f);

        f = check_text("# sekisho:ignore DL3006 today until=2026-11-20\nFROM debian\n");
        assert_true(the(&f, "DL3006")->waived);
        found_done(&f);

        f = check_text(
                "# hadolint ignore=DL3006, DL3007 # for now\nFROM debian\n# hadolint global ignore=DL3004\nRUN sudo x\n"
                "RUN true && \\\n# sekisho:ignore DL3001\nps\n");
        assert_true(the(&f, "DL3006")->waived && the(&f, "DL3004")->waived && the(&f, "DL3001")->waived);
        assert_true(str_starts(the(&f, "SK-CHECK-002")->detail, STR("DL3007")));
        found_done(&f);

        f = check_text("# sekisho:ignore DL3006 x until=soon\nFROM debian\n# sekisho:ignore\nRUN x\n");
        assert_false(the(&f, "DL3006")->waived);
        assert_int_equal(count(&f, "SK-CHECK-003"), 2);
        found_done(&f);

        f = check_text(
                "# sekisho:ignore-file DL3004,DL9999 ours\nFROM debian:12\nRUN sudo x\n# sekisho:ignoreX DL3006\n");
        assert_true(the(&f, "DL3004")->waived);
        assert_int_equal(count(&f, "SK-CHECK-002"), 1);
        found_done(&f);
}

/* --- edits --- */

static struct str apply(struct found *f, const char *text)
{
        struct buf out = BUF_INIT(1 << 20);
        size_t at = 0;
        for (size_t i = 0; i < f->edits.n; i++) {
                const struct fact_edit *e = &f->edits.v[i];
                buf_add(&out, text + at, e->offset - at);
                buf_add_str(&out, e->text);
                at = e->offset + e->length;
        }
        buf_puts(&out, text + at);
        struct str ret = arena_str(&f->arena, buf_str(&out));
        buf_done(&out);
        return ret;
}

/* Only this is wrong with it, so that all edits are the rule's. */
static const struct {
        const char *id, *before, *after;
} fixes[] = {
        { "DL3014", "FROM a:1\nRUN apt-get install --no-install-recommends x; y\n",
          "FROM a:1\nRUN apt-get install -y --no-install-recommends x; y\n" },
        { "DL3015", "FROM a:1\nRUN apt-get update && \\\n  apt-get install \\\n    -y x; true\n",
          "FROM a:1\nRUN apt-get update && \\\n  apt-get install --no-install-recommends \\\n    -y x; true\n" },
        { "DL3009",
          "FROM a:1\r\nRUN apt-get update && \\\r\n  apt-get install -y --no-install-recommends x\r\nRUN y\r\n",
          "FROM a:1\r\nRUN apt-get update && \\\r\n  apt-get install -y --no-install-recommends x && rm -rf "
          "/var/lib/apt/lists/*\r\nRUN y\r\n" },
        { "DL3019", "FROM a:1\nRUN apk  add  x=1", "FROM a:1\nRUN apk  add --no-cache  x=1" },
        { "DL3020", "FROM a:1\nadd --chown=1:1 x.py y/ /z/\n", "FROM a:1\nCOPY --chown=1:1 x.py y/ /z/\n" },
        { "DL3030", "FROM a:1\nRUN yum install x-1\n", "FROM a:1\nRUN yum install -y x-1\n" },
        { "DL3034", "FROM a:1\nRUN zypper install x=1\n", "FROM a:1\nRUN zypper install -y x=1\n" },
        { "DL3038", "FROM a:1\nRUN dnf install x-1\n", "FROM a:1\nRUN dnf install -y x-1\n" },
        { "DL3042", "FROM a:1\nRUN pip install x==1 && y\n", "FROM a:1\nRUN pip install --no-cache-dir x==1 && y\n" },
        { "DL3065", "FROM --platform=$TARGETPLATFORM  a:1\n", "FROM a:1\n" },
};

static void test_fixes(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
                struct found f = check_text(fixes[i].before);
                assert_int_equal(count(&f, fixes[i].id), 1);
                struct str after = apply(&f, fixes[i].before);
                if (!str_is(after, fixes[i].after))
                        fail_msg("%s: %.*s", fixes[i].id, STR_FMT(after));
                found_done(&f);
                f = check_text(fixes[i].after);
                assert_int_equal(count(&f, fixes[i].id), 0);
                assert_int_equal(count(&f, "SK-DOCKER-100"), 0);
                assert_int_equal(f.edits.n, 0);
                found_done(&f);
        }
}

/* What would change the meaning is not repaired. */
static void test_no_fixes(void **state)
{
        static const char *const texts[] = {
                "FROM a:1\nADD rootfs /\n",
                "FROM a:1\nADD --unpack x.py /\n",
                "FROM a:1\nRUN apt-get update && X=1\n",
                "FROM a:1\nRUN apt-get update >x && true\n",
                "FROM a:1\nRUN apt-get update && true &\n",
                ("FROM a:1\nRUN apt-get update && apt-get install -y --no-install-recommends x\nRUN apt-get install -y "
                 "--no-install-recommends y || z\n"),
                "FROM a:1\nRUN apt-get update && apt-get install -y --no-install-recommends x || true\n",
                "FROM a:1\nRUN apt-get update && apt-get install -y --no-install-recommends x # c\n",
                "FROM a:1\nRUN if a; then apt-get update && apt-get install -y --no-install-recommends x; fi\n",
                "FROM a:1\nRUN [\"apt-get\", \"install\", \"x\"]\n",
        };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct found f = check_text(texts[i]);
                if (f.edits.n)
                        fail_msg("edited: %s", texts[i]);
                found_done(&f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),  cmocka_unit_test(test_every_rule_has_a_case),
                cmocka_unit_test(test_places), cmocka_unit_test(test_ignores),
                cmocka_unit_test(test_fixes),  cmocka_unit_test(test_no_fixes),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
