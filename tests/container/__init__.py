"""What the container test runs beside the shell: inside of the container, and on its books afterwards."""
