ARG PYTHON_BUILD
ARG PYTHON
FROM $PYTHON_BUILD AS build
WORKDIR /app
COPY speed.c ./
RUN gcc -O2 -shared -fPIC -o libspeed.so speed.c

FROM $PYTHON
WORKDIR /app
COPY app.py ./
COPY --from=build /app/libspeed.so ./
USER 1000:1000
CMD ["python3", "app.py"]
