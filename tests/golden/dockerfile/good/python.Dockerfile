# syntax=docker/dockerfile:1
FROM python:3.12.7-slim-bookworm@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

FROM base AS wheels
WORKDIR /wheels
# The compiler stays in this stage.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        build-essential=12.9 \
        libpq-dev=15.8-0+deb12u1 \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt .
RUN pip wheel --no-deps --require-hashes --wheel-dir /wheels -r requirements.txt

FROM base
RUN <<EOF
set -eu
apt-get update
apt-get install -y --no-install-recommends libpq5=15.8-0+deb12u1
rm -rf /var/lib/apt/lists/*
groupadd --gid 10001 app
useradd --uid 10001 --gid app --no-create-home --shell /usr/sbin/nologin app
EOF

WORKDIR /app
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl
COPY --chown=10001:10001 --chmod=0444 app/ ./app/
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --start-period=5s CMD ["python", "-m", "app.health"]
CMD ["python", "-m", "app"]
