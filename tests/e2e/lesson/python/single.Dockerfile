ARG PYTHON_BUILD
FROM $PYTHON_BUILD
WORKDIR /app
COPY . .
RUN gcc -O2 -shared -fPIC -o libspeed.so speed.c
CMD ["python3", "app.py"]
