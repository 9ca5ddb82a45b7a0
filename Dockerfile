# The service in a container: nothing but Python, the hashed requirements and the wheel; not root, nothing to write to
# but /tmp, /dev/shm and the volume.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/build && python -m venv /opt/cds-service
COPY requirements.lock deploy/requirements-build.lock ./
RUN /opt/build/bin/python -m pip install --require-hashes -r requirements-build.lock
RUN /opt/cds-service/bin/python -m pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY cds_service cds_service
COPY cards cards
COPY fhir_fixtures fhir_fixtures
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .
RUN /opt/cds-service/bin/python -m pip install --no-deps --no-index --find-links /wheels cds-service
# A fault in knowledge or cards ends the build; then what only installs goes.
RUN /opt/cds-service/bin/cds-service check && \
    /opt/cds-service/bin/python -m pip uninstall --yes pip setuptools && \
    /opt/cds-service/bin/python -m compileall -q /opt/cds-service/lib

FROM python:3.11-slim
RUN groupadd --gid 10001 cds && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin cds && \
    install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/cds-service
COPY --from=build /opt/cds-service /opt/cds-service
ENV PATH=/opt/cds-service/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/tmp \
    CDS_HOST=0.0.0.0 \
    CDS_PORT=8080 \
    CDS_DATABASE_URL=sqlite:////var/lib/cds-service/cds-service.db
WORKDIR /var/lib/cds-service
VOLUME ["/var/lib/cds-service"]
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['CDS_PORT'] + '/health', timeout=2)"]
# `serve` starts gunicorn in its own process, without a control socket, and puts the metrics its workers share in /tmp.
ENTRYPOINT ["cds-service"]
CMD ["serve"]
