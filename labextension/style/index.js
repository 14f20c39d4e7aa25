import './ui.css';
import './base.css';
