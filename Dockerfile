# AutoSMOTE on the CPU:  docker build -t autosmote .
# Your table lies in this folder:  docker run --rm -v "$PWD:/data" autosmote compare my.csv --target label
FROM python:3.11-slim

# Nothing is written outside /data and /tmp, whoever the user is (docker run --user).
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba

WORKDIR /src
COPY constraints.txt .
# torch alone and first: it is large, and changes less often than the rest. The index has its CPU build.
RUN python -m pip install --no-cache-dir -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu torch
COPY . .
RUN python -m pip install --no-cache-dir -c constraints.txt .
# Compiles the loops once, and shows that the image works.
RUN autosmote search.iterations=10 results_dir=/tmp/first-run
RUN chmod -R a+rwX /tmp/numba

WORKDIR /data
ENTRYPOINT ["autosmote"]
CMD ["--help"]
