# The images of the service: `docker build --target cpu -t docpipe:cpu .` and, for workers with a graphics card,
# `--target gpu`. docker-compose.yml says which process runs in which; docs/operations.md says how to run them.
# tests/service/test_compose.py checks what can be checked without a Docker engine.

FROM python:3.11-slim-bookworm AS python

FROM python AS wheel
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
# Also for what pip installs to build the wheel; the second name is that of pip 25.3 and later.
ENV PIP_CONSTRAINT=/source/constraints.txt PIP_BUILD_CONSTRAINT=/source/constraints.txt PIP_NO_CACHE_DIR=1
COPY docpipe ./docpipe
RUN pip wheel --no-deps --wheel-dir /wheels .

# What docpipe needs, without docpipe: this layer is made again only when pyproject.toml or constraints.txt change.
# The environment has no pip of its own: nothing is installed into it later.
FROM python AS needed
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
ENV PIP_CONSTRAINT=/source/constraints.txt PIP_BUILD_CONSTRAINT=/source/constraints.txt PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/docpipe \
 && pip --python /opt/docpipe/bin/python install '.[postgres,serve,s3,traces,hosted]'

# torch from PyPI brings NVIDIA's CUDA libraries as wheels. So this needs no image with CUDA: the machine's driver is
# handed in by the NVIDIA Container Toolkit, which reads the NVIDIA_* variables below.
FROM needed AS needed-gpu
RUN pip --python /opt/docpipe/bin/python install '.[postgres,serve,s3,traces,hosted,gpu]'

FROM needed AS installed
COPY --from=wheel /wheels /wheels
RUN pip --python /opt/docpipe/bin/python install --no-deps --force-reinstall /wheels/*.whl

FROM needed-gpu AS installed-gpu
COPY --from=wheel /wheels /wheels
RUN pip --python /opt/docpipe/bin/python install --no-deps --force-reinstall /wheels/*.whl

FROM python AS service
# Programs of the system that docpipe can use, with blanks between: `--build-arg PROGRAMS=poppler-utils` reads PDFs that
# PDFium refuses. It is GPL, so it is not there unless you ask for it.
ARG PROGRAMS=""
RUN if [ -n "$PROGRAMS" ]; then \
      apt-get update && apt-get install --yes --no-install-recommends $PROGRAMS && rm -rf /var/lib/apt/lists/*; \
    fi \
 && pip uninstall --yes --root-user-action ignore pip setuptools wheel \
 && groupadd --gid 10001 docpipe \
 && useradd --uid 10001 --gid docpipe --no-create-home --home-dir /tmp --shell /usr/sbin/nologin docpipe \
 && install --directory --owner docpipe --group docpipe /data /models /spending
# One thread a process: as many processes as there are cores is what uses them best (docs/decisions/0007-processes-not-threads.md).
ENV PATH=/opt/docpipe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    HOME=/tmp \
    DOCPIPE_BLOB_URL=/data \
    DOCPIPE_LOG_FORMAT=json
# What starts a worker, in the images as with systemd (workers/README.md).
COPY workers/docpipe-worker /usr/local/bin/
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000
# The API's; docker-compose.yml gives each other process one of its own.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
CMD ["docpipe", "serve", "--host", "0.0.0.0", "--port", "8000"]

FROM service AS gpu
COPY --from=installed-gpu /opt/docpipe /opt/docpipe
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

# The last one is what `docker build .` makes.
FROM service AS cpu
COPY --from=installed /opt/docpipe /opt/docpipe
