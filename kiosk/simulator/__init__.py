"""The whole appliance on one computer without hardware: `kiosk demo`."""
