# The gateway and nothing that builds: pinned wheels by their hashes, a user without rights, a read-only root.
# Data lies in /data, the configuration in /etc/seawall; keys come by environment or as files (SEAWALL_SECRETS_DIR).

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/seawall
COPY requirements/run.txt requirements/run.txt
RUN /opt/seawall/bin/pip install --no-cache-dir --disable-pip-version-check \
    --no-deps --require-hashes --only-binary :all: --requirement requirements/run.txt
COPY pyproject.toml README.md CHANGELOG.md LICENSE NOTICE ./
COPY src src
RUN /opt/seawall/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin seawall \
    && install --directory --owner=seawall --group=seawall --mode=0700 /data /etc/seawall
COPY --from=build /opt/seawall /opt/seawall
ENV PATH=/opt/seawall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SEAWALL_DATA_DIR=/data \
    SEAWALL_SERVER_HOST=0.0.0.0
USER 10001:10001
WORKDIR /etc/seawall
VOLUME /data
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8787/healthz', timeout=2)"]
ENTRYPOINT ["seawall"]
CMD ["serve"]
